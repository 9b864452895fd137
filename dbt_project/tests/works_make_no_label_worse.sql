{{ config(tags=['note']) }}

-- an energy label after the works that is worse than before: the certificates may have changed places
select
    team,
    dossier_id,
    epc_label_before,
    epc_label_after
from {{ ref('int_renovation_coach__dossiers_current') }}
where
    strpos('FEDCBA', left(epc_label_after, 1)) + (epc_label_after = 'A+')::integer
    < strpos('FEDCBA', left(epc_label_before, 1)) + (epc_label_before = 'A+')::integer
