"""The renovation coaches' weekly log: a contract of our own, that an energy house can deliver to.

A file holds what changed in one ISO week at one team, or everything that the team follows. Names, phones and mail
addresses have no column; the address and the team's own dossier number become keyed pseudonyms at the door, so that
dossiers of one dwelling, and a dossier and its measures, still join.

The columns of a collective project are those that the city must fill in for the Flemish energy and climate pact
(LEKP): name, street, date of completion, dwelling units, type, proof and remark.
"""

from datetime import timedelta
from functools import partial

import polars as pl

from contracts.reading import boolean, kept_day, kept_number, lower, text, upper
from contracts.vocabulary import (
    EVENLY,
    Field,
    OnArrival,
    Refused,
    RowRule,
    Sensitivity,
    SourceContract,
    TableContract,
    Way,
)

TEAMS = ("kortrijk", "leiedal", "energiehuis")
_PHASES = ("aanmelding", "advies", "studie", "aankoop", "uitvoering", "afgerond", "stopgezet")
_STOP_REASONS = ("geen_interesse", "financieel", "technisch", "verhuis", "verkoop", "andere_begeleiding", "andere")
_CHANNELS = ("website", "balie", "telefoon", "doorverwijzing", "evenement", "buurtactie", "andere")
_DWELLING_TYPES = ("rijwoning", "halfopen", "open", "appartement", "overige")
_ROLES = ("eigenaar-bewoner", "verhuurder", "huurder", "vme")
_INCOMES = ("laagste", "middelste", "hoogste", "onbekend")
_LABELS = ("A+", "A", "B", "C", "D", "E", "F")
_MEASURES = (
    "dak",
    "zolder",
    "buitenmuur",
    "spouwmuur",
    "vloer",
    "kelder",
    "ramen_deuren",
    "zonneboiler",
    "warmtepomp",
    "warmtepompboiler",
    "ventilatie",
    "pv",
    "binnenrenovatie",
    "elektriciteit_sanitair",
    "overige",
)
_STATUSES = ("geadviseerd", "offerte", "besteld", "uitgevoerd", "geannuleerd")
_PREMIUMS = ("mijn_verbouwpremie", "epc_labelpremie", "mijn_verbouwlening", "burenpremie", "lokaal", "andere")
_PREMIUM_STATUSES = ("aangevraagd", "goedgekeurd", "geweigerd", "uitbetaald")
_PROJECT_TYPES = ("energiebesparend", "fossielvrij")
_SECTOR = r"^\d{5}[A-Z0-9-]{3,4}$"
_WEEK = r"^\d{4}-W\d{2}$"
# the week before it stands, in which less was done
_FURTHER = Refused("what is further on than the rest", Way.DOWN, "dim_source")


_GUIDES_NL = f"wie begeleidt: {', '.join(TEAMS)}"


def _word(column: str) -> pl.Expr:
    """A word of a list, whatever its capitals, and with a blank for a line below."""
    return text(column).str.to_lowercase().str.replace_all(" ", "_")


def _whole(column: str) -> pl.Expr:
    # a spreadsheet may write 4.0 for 4; 4.000 may be four thousand
    return text(column).str.replace(r"[.,]0{1,2}$", "").cast(pl.Int64, strict=False)


def _yes(wire: str) -> pl.Expr:
    return boolean(wire).fill_null(value=False)


_OF_THE_FILE = (
    Field("delivery_week", pl.String, "ISO week the file speaks of", pattern=_WEEK, reads="week", added=True,
          nl="ISO-week van het bestand; komt uit de bestandsnaam"),
    Field("file_team", pl.String, "team whose file it is", allowed=TEAMS, reads="bestand_team", added=True,
          staged=False, nl="team van het bestand; komt uit de bestandsnaam", read=lower),
)  # fmt: skip


def _week_end() -> pl.Expr:
    """The Sunday on which the week of the file ends."""
    return pl.concat_str(pl.col("delivery_week"), pl.lit("-7")).str.to_date("%G-W%V-%u", strict=False)


def _not_before(later: str, wire: str, earlier: str, earlier_wire: str) -> RowRule:
    return RowRule(
        f"{later}_after_{earlier}",
        wire,
        f"lies before {earlier_wire}",
        pl.col(later) >= pl.col(earlier),
        reason_nl=f"ligt vóór {earlier_wire}. Kijk beide datums na.",
        refused=_FURTHER,
    )


def _within_the_week(column: str, wire: str) -> RowRule:
    return RowRule(
        f"{column}_within_week",
        wire,
        "lies after the week of the file",
        pl.col(column) <= _week_end(),
        reason_nl="ligt na de week in de bestandsnaam. Kijk de datum na, of lever in de juiste week.",
        refused=_FURTHER,
    )


def _label_fits(score: str, label: str, wire: str) -> RowRule:
    """The label that the Flemish energy decree gives to a score in kWh/m² a year."""
    value = pl.col(score)
    limits = ((0, "A+"), (100, "A"), (200, "B"), (300, "C"), (400, "D"), (500, "E"))
    fitting = [pl.when(value <= most).then(pl.lit(name)) for most, name in limits]
    return RowRule(
        f"{label}_fits",
        f"epc_label_{wire}",
        f"does not match epc_{wire}",
        pl.col(label) == pl.coalesce(*fitting, pl.when(value.is_not_null()).then(pl.lit("F"))),
        reason_nl=f"past niet bij het kengetal epc_{wire}. Kijk beide na op het attest.",
        refused=_FURTHER,
    )


def _goes_with(column: str, wire: str, other: str, other_wire: str) -> RowRule:
    return RowRule(
        f"{column}_with_{other}",
        wire,
        f"is missing beside {other_wire}",
        pl.col(other).is_null() | pl.col(column).is_not_null(),
        reason_nl=f"is leeg, maar {other_wire} is ingevuld. Vul beide in.",
        refused=_FURTHER,
    )


_SAME_TEAM = RowRule(
    "team_of_the_file",
    "team",
    "is another than that in the name of the file",
    pl.col("team") == pl.col("file_team"),
    reason_nl="is niet het team in de bestandsnaam. Lever per team een eigen bestand.",
    refused=EVENLY,
)

_DOSSIERS_FIELDS = (
    # the energy house knows its own number, so a number in our tables would lead back to a household
    Field("dossier_id", pl.String, "keyed pseudonym of the team's own dossier number", reads="dossier", required=True,
          pseudonym="dossier", nl="uw eigen dossiernummer; wordt bij ontvangst vervangen door een code"),
    Field("team", pl.String, "who guides", allowed=TEAMS, required=True, nl=_GUIDES_NL, read=lower),
    Field("dwelling_key", pl.String, "keyed pseudonym of the address", reads="adres", required=True,
          pseudonym="dwelling", nl="adres of capakey van de woning; wordt bij ontvangst vervangen door een code"),
    Field("sector_id", pl.String, "statistical sector (NIS9)", nullable=True, pattern=_SECTOR, reads="sector",
          nl="statistische sector (NIS9), bijvoorbeeld 34022A00-", read=upper),
    Field("dwelling_type", pl.String, "type of dwelling", nullable=True, allowed=_DWELLING_TYPES, reads="woningtype",
          nl="type woning", read=lower),
    Field("build_year", pl.Int64, "year it was built", nullable=True, minimum=1500, maximum=2100, reads="bouwjaar",
          nl="bouwjaar van de woning", read=_whole),
    Field("dwelling_units", pl.Int64, "dwelling units in the building the dossier is about", nullable=True, minimum=1,
          maximum=500, reads="wooneenheden", nl="aantal wooneenheden in het gebouw waarvoor het dossier loopt",
          read=_whole),
    Field("intake_date", pl.Date, "first contact", reads="intake_op", required=True, nl="datum van het eerste contact",
          read=kept_day),
    Field("channel", pl.String, "how the household came", nullable=True, allowed=_CHANNELS, reads="kanaal",
          nl="hoe het gezin bij de coach kwam", read=_word),
    Field("phase", pl.String, "phase of the guidance", allowed=_PHASES, reads="fase", required=True,
          nl="fase van de begeleiding", read=lower),
    Field("phase_date", pl.Date, "when that phase began", reads="fase_op", required=True,
          nl="datum waarop die fase begon", read=kept_day),
    Field("stop_reason", pl.String, "why it stopped", nullable=True, allowed=_STOP_REASONS, reads="stopreden",
          nl="waarom een dossier stopt; enkel bij fase stopgezet", read=_word),
    Field("household_role", pl.String, "who asked", nullable=True, allowed=_ROLES, reads="rol",
          nl="rol van de aanvrager", read=lower),
    Field("income_category", pl.String, "income category of the renovation grant; only ever counted", nullable=True,
          allowed=_INCOMES, reads="inkomenscategorie", nl="categorie van Mijn VerbouwPremie", read=lower),
    Field("is_vulnerable", pl.Boolean, "whether the household belongs to a vulnerable group; only ever counted",
          nullable=True, reads="kwetsbaar", nl="ja als het gezin tot een kwetsbare doelgroep hoort"),
    Field("house_visit_date", pl.Date, "first visit to the dwelling", nullable=True, reads="huisbezoek_op",
          nl="datum van het eerste huisbezoek", read=kept_day),
    Field("plan_delivered_date", pl.Date, "renovation plan handed over", nullable=True, reads="plan_op",
          nl="datum waarop het renovatieplan bezorgd werd", read=kept_day),
    Field("epc_before_kwh_m2", pl.Float64, "energy score before the works (kWh/m² a year)", nullable=True, minimum=-200,
          maximum=3000, reads="epc_voor", nl="EPC-kengetal voor de werken (kWh/m² per jaar)",
          read=partial(kept_number, beside=("epc_na",))),
    Field("epc_label_before", pl.String, "label before", nullable=True, allowed=_LABELS, reads="epc_label_voor",
          nl="EPC-label voor de werken (A+ tot F)", read=upper),
    Field("epc_after_kwh_m2", pl.Float64, "energy score after the works (kWh/m² a year)", nullable=True, minimum=-200,
          maximum=3000, reads="epc_na", nl="EPC-kengetal na de werken (kWh/m² per jaar)",
          read=partial(kept_number, beside=("epc_voor",))),
    Field("epc_label_after", pl.String, "label after", nullable=True, allowed=_LABELS, reads="epc_label_na",
          nl="EPC-label na de werken (A+ tot F)", read=upper),
    Field("epc_date", pl.Date, "date of the certificate after the works", nullable=True, reads="epc_op",
          nl="datum van het EPC na de werken", read=kept_day),
    Field("is_correction", pl.Boolean, "whether it sets all earlier weeks right", reads="correctie",
          nl="ja als deze regel alle eerdere weken van dit dossier rechtzet", read=_yes),
    *_OF_THE_FILE,
    Field("is_snapshot", pl.Boolean, "whether the file held all dossiers of the team", reads="volledig", added=True,
          nl="of het bestand alle dossiers van het team bevat; komt uit de bestandsnaam of het manifest", read=_yes),
)  # fmt: skip

DOSSIERS = TableContract(
    name="dossiers",
    description="One guided dwelling as its dossier stood at the end of the week.",
    description_nl="Eén begeleide woning, zoals het dossier stond op het einde van de week.",
    fields=_DOSSIERS_FIELDS,
    key=("team", "dossier_id"),
    version=("phase_date", "delivery_week", "is_correction"),
    refuses_contradictions=True,
    event_date="phase_date",
    event_order=("phase_date", "team", "dossier_id"),
    rules=(
        _SAME_TEAM,
        _not_before("house_visit_date", "huisbezoek_op", "intake_date", "intake_op"),
        _not_before("plan_delivered_date", "plan_op", "intake_date", "intake_op"),
        _not_before("plan_delivered_date", "plan_op", "house_visit_date", "huisbezoek_op"),
        _not_before("phase_date", "fase_op", "intake_date", "intake_op"),
        *(
            _within_the_week(column, wire)
            for column, wire in (
                ("phase_date", "fase_op"),
                ("house_visit_date", "huisbezoek_op"),
                ("plan_delivered_date", "plan_op"),
                ("epc_date", "epc_op"),
            )
        ),
        RowRule(
            "only_a_stop_has_a_reason",
            "stopreden",
            "stands beside a phase that is not stopgezet",
            pl.col("stop_reason").is_null() | (pl.col("phase") == "stopgezet"),
            reason_nl="hoort enkel bij fase stopgezet. Maak ze leeg of pas de fase aan.",
            refused=Refused("what may have stopped", Way.UP, "dim_source"),
        ),
        _label_fits("epc_before_kwh_m2", "epc_label_before", "voor"),
        _label_fits("epc_after_kwh_m2", "epc_label_after", "na"),
    ),
    breaches={
        **dict.fromkeys(
            (
                "sector_id",
                "dwelling_type",
                "build_year",
                "dwelling_units",
                "channel",
                "stop_reason",
                "household_role",
                "income_category",
                "is_vulnerable",
            ),
            EVENLY,
        ),
        **dict.fromkeys(
            (
                "house_visit_date",
                "plan_delivered_date",
                "epc_before_kwh_m2",
                "epc_label_before",
                "epc_after_kwh_m2",
                "epc_label_after",
                "epc_date",
            ),
            _FURTHER,
        ),
    },
)

_MEASURES_FIELDS = (
    Field("dossier_id", pl.String, "keyed pseudonym of the team's own dossier number", reads="dossier", required=True,
          pseudonym="dossier", nl="uw eigen dossiernummer, zoals in het blad met dossiers"),
    Field("team", pl.String, "who guides", allowed=TEAMS, required=True, nl=_GUIDES_NL, read=lower),
    Field("line_no", pl.Int64, "number within the dossier", minimum=1, maximum=200, reads="regelnr", required=True,
          nl="volgnummer van de maatregel binnen het dossier (1, 2, ...); blijft altijd hetzelfde", read=_whole),
    Field("measure", pl.String, "kind of measure", allowed=_MEASURES, reads="maatregel", required=True,
          nl="soort maatregel", read=_word),
    Field("status", pl.String, "how far it is", allowed=_STATUSES, required=True, nl="hoever de maatregel staat",
          read=lower),
    Field("status_date", pl.Date, "when that status began", reads="status_op", required=True,
          nl="datum waarop die status begon", read=kept_day),
    Field("offers_count", pl.Int64, "offers", nullable=True, minimum=0, maximum=20, reads="offertes",
          nl="aantal offertes", read=_whole),
    Field("cost_eur", pl.Float64, "cost before any grant (euro)", nullable=True, minimum=0, maximum=500_000,
          reads="kost_eur", nl="kostprijs zonder premie (euro)", read=partial(kept_number, beside=("premie_eur",))),
    Field("works_completed_date", pl.Date, "when the works were done", nullable=True, reads="uitgevoerd_op",
          nl="datum waarop de werken klaar waren; verplicht bij status uitgevoerd", read=kept_day),
    Field("premium_type", pl.String, "kind of grant", nullable=True, allowed=_PREMIUMS, reads="premie_type",
          nl="soort premie of lening", read=_word),
    Field("premium_eur", pl.Float64, "amount of the grant (euro)", nullable=True, minimum=0, maximum=500_000,
          reads="premie_eur", nl="bedrag van de premie (euro)", read=partial(kept_number, beside=("kost_eur",))),
    Field("premium_status", pl.String, "how far the grant is", nullable=True, allowed=_PREMIUM_STATUSES,
          reads="premie_status", nl="hoever de premie staat", read=lower),
    Field("is_fossil_free", pl.Boolean, "whether it frees the dwelling of gas or heating oil", nullable=True,
          reads="fossielvrij", nl="ja als de maatregel de woning van aardgas of stookolie losmaakt"),
    Field("collective_project_id", pl.String, "code of the collective project", nullable=True,
          pattern=r"^[A-Z0-9-]{2,32}$", reads="project",
          nl="code van het collectieve project, bijvoorbeeld BUREN-2025-03", read=upper),
    Field("project_name", pl.String, "name of the project", nullable=True, reads="project_naam",
          nl="naam van het collectieve project"),
    Field("project_street", pl.String, "street of the project", nullable=True, reads="project_straat",
          nl="straat of wijk van het project, zonder huisnummer"),
    Field("project_enrolments", pl.Int64, "dwellings that enrolled", nullable=True, minimum=0, maximum=5000,
          reads="project_inschrijvingen", nl="aantal woningen die op het project intekenden", read=_whole),
    Field("project_dwelling_units", pl.Int64, "dwelling units that the project renovates", nullable=True, minimum=0,
          maximum=5000, reads="project_wooneenheden", nl="aantal wooneenheden dat het project renoveert", read=_whole),
    Field("project_type", pl.String, "energy-saving or fossil-free", nullable=True, allowed=_PROJECT_TYPES,
          nl="energiebesparend of fossielvrij", read=lower),
    Field("project_completed_date", pl.Date, "when the whole project was done", nullable=True,
          reads="project_opgeleverd_op", nl="datum waarop het hele project klaar was", read=kept_day),
    Field("project_evidence", pl.String, "web address of the proof", nullable=True, pattern=r"^https?://[^\s@]{4,300}$",
          reads="project_bewijs", nl="webadres van het bewijsstuk (https://...)"),
    Field("project_remark", pl.String, "remark on the project", nullable=True, reads="project_opmerking",
          nl="opmerking over het project; geen namen van personen"),
    Field("is_correction", pl.Boolean, "whether it sets all earlier weeks right", reads="correctie",
          nl="ja als deze regel alle eerdere weken van deze maatregel rechtzet", read=_yes),
    *_OF_THE_FILE,
    Field("is_snapshot", pl.Boolean, "whether the file held everything of the team", reads="volledig", added=True,
          nl="of het bestand alle dossiers van het team bevat; komt uit de bestandsnaam of het manifest", read=_yes),
)  # fmt: skip

MEASURES = TableContract(
    name="measures",
    description="One measure of one dossier as it stood at the end of the week, with its collective project.",
    description_nl="Eén maatregel van één dossier, zoals ze stond op het einde van de week.",
    fields=_MEASURES_FIELDS,
    key=("team", "dossier_id", "line_no"),
    version=("status_date", "delivery_week", "is_correction"),
    refuses_contradictions=True,
    event_date="status_date",
    event_order=("status_date", "team", "dossier_id", "line_no"),
    rules=(
        _SAME_TEAM,
        RowRule(
            "done_says_when",
            "uitgevoerd_op",
            "is missing beside status uitgevoerd",
            (pl.col("status") != "uitgevoerd") | pl.col("works_completed_date").is_not_null(),
            reason_nl="is leeg, maar de status is uitgevoerd. Vul de datum van de werken in.",
            refused=_FURTHER,
        ),
        RowRule(
            "only_done_has_a_day",
            "uitgevoerd_op",
            "stands beside a status that is not uitgevoerd",
            (pl.col("status") == "uitgevoerd") | pl.col("works_completed_date").is_null(),
            reason_nl="is ingevuld, maar de status is niet uitgevoerd. Pas een van beide aan.",
            refused=_FURTHER,
        ),
        _within_the_week("status_date", "status_op"),
        _within_the_week("works_completed_date", "uitgevoerd_op"),
        _within_the_week("project_completed_date", "project_opgeleverd_op"),
        _goes_with("premium_type", "premie_type", "premium_eur", "premie_eur"),
        *(
            _goes_with(column, wire, "collective_project_id", "project")
            for column, wire in (
                ("project_name", "project_naam"),
                ("project_enrolments", "project_inschrijvingen"),
                ("project_dwelling_units", "project_wooneenheden"),
                ("project_type", "project_type"),
            )
        ),
    ),
    # what is only advised has no offer, no cost and no day yet
    refused=_FURTHER,
)

CONTRACT = SourceContract(
    name="renovation_coach",
    title_nl="Renovatiecoaches",
    owner="wonen@kortrijk.example",
    version=4,
    triggers=(OnArrival((".csv", ".xlsx")),),
    fresh_within=timedelta(days=9),
    retention=timedelta(days=365 * 10),
    sensitivity=Sensitivity.PERSONAL,
    tables=(DOSSIERS, MEASURES),
    delivery_nl=(
        "Elk team levert elke maandag één werkboek met twee bladen (dossiers en maatregelen), of twee CSV-bestanden. "
        "De naam is renovatie_JJJJ-Www_<team>.xlsx, bijvoorbeeld renovatie_2026-W47_leiedal.xlsx; twee CSV-bestanden "
        "heten renovatie_2026-W47_leiedal.csv en renovatie_2026-W47_leiedal_maatregelen.csv. "
        "Lever wat die week veranderde; of alles, met _volledig op het einde van de naam. "
        "Wie een week opnieuw levert, levert die week volledig opnieuw: het nieuwe bestand vervangt het oude. "
        "Een manifest met het aantal rijen en de sha256 mag ernaast staan (<bestandsnaam>.manifest.json)."
    ),
    has_template=True,
)
