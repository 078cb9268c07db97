select
    audience,
    description,
    entity,
    priority,
    everybody,
    members,
    held_out,
    share,
    members_before,
    share_before,
    warning,
    sql,
    salt
from {{ source('audiences', 'audiences') }}
