SELECT event_id, m_plus_minus, m_plus_neutral FROM Decays
