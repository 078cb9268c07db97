select customer_id
from {{ ref('customer_features') }}
where
    channel_google + channel_facebook + channel_youtube + channel_linkedin
    + channel_twitter + channel_instagram + channel_friend + channel_other <> 1
    or region_anglo_saxon + region_western_europe + region_rest_of_world <> 1
