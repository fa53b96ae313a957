SELECT event_id,
    m_plus_minus + sigma_plus_minus * normal_at(event_id, 0) AS m_plus_minus,
    m_plus_neutral + sigma_plus_neutral * normal_at(event_id, 1) AS m_plus_neutral,
    sigma_plus_minus, sigma_plus_neutral
FROM Decays
JOIN tmp_resolution USING (event_id)
