{{ entities_as_written('membership_history', ['segment_id', 'segment_name', 'entered_at', 'left_at']) }}
