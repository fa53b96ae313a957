{# What the identification of a track depends on: the reconstructed kinematics, the event's number of tracks
   and the species that it really is. There are models for e, mu, pi, K and p. Other long-lived charged
   particles behave like the one of nearest mass: pi below 0.3 GeV, K below 0.7 GeV, p above. #}
{% import 'codes.sql' as codes %}
SELECT
    t.track_id,
    t.event_id,
    t.mcparticle_id,
    t.type,
    t.p,
    t.eta,
    r.nTracks,
    t.charge,
    CASE abs(m.pid)
        WHEN {{ codes.electron }} THEN 'electron'
        WHEN {{ codes.muon }} THEN 'muon'
        WHEN {{ codes.pion }} THEN 'pion'
        WHEN {{ codes.kaon }} THEN 'kaon'
        WHEN {{ codes.proton }} THEN 'proton'
        ELSE CASE WHEN m.m < 300 THEN 'pion' WHEN m.m < 700 THEN 'kaon' ELSE 'proton' END
    END AS species
FROM Tracks AS t
JOIN RecSummary AS r USING (event_id)
JOIN MCParticles AS m USING (mcparticle_id)
