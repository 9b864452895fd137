"""The published tables as a Power BI project: a model in TMDL and a report in PBIR, written as text.

What a table holds comes from the marts themselves (`marts`); what only Power BI asks for, a Dutch name, a measure, a
page, stands in `names`, `measures` and `pages`.
"""
