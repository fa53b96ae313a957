SELECT event_id, m_plus_minus, m_plus_neutral
FROM Decays
JOIN tmp_efficiency USING (event_id)
WHERE uniform_at(event_id, 0) < seen
