{{ entities_as_written('segment_members', ['segment_id', 'segment_name', 'level']) }}
