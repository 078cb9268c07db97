{{ entities_without_exactly_one_segment('customer_id', 'varchar', ref('customer_features')) }}
