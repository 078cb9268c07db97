{{ entities_without_exactly_one_segment('user_id', 'bigint', ref('user_genre_stats')) }}
