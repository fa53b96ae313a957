{# Everything that the calorimeter sees of an event: photons, including those radiated by electrons (part 3 and up);
   electrons and positrons; tracks, which leave no energy here but claim the clusters that they point to. #}
{% import 'codes.sql' as codes %}
{% from 'ecal.sql' import at_face, in_active_area %}
SELECT mcparticle_id, 0 AS part, event_id, x_ecal, y_ecal, p, tx, ty, x, y, z, {{ codes.photon_hit }} AS kind
FROM tmp_photons
WHERE NOT converted AND {{ conditions.calorimeter == 'event' }}
UNION ALL
SELECT mcparticle_id, part, event_id, x_ecal, y_ecal, p, tx, ty, x, y, z, {{ codes.electron_hit }}
FROM tmp_ecal_charged
UNION ALL
SELECT *
FROM (
    SELECT
        mcparticle_id, 3 + number AS part, event_id,
        {{ at_face('x', 'z', 'px / pz') }} AS x_ecal,
        {{ at_face('y', 'z', 'py / pz') }} AS y_ecal,
        energy AS p, px / pz AS tx, py / pz AS ty, x, y, z, {{ codes.photon_hit }} AS kind
    FROM BremPhotons
    WHERE {{ conditions.calorimeter == 'event' }}
)
WHERE {{ in_active_area('x_ecal', 'y_ecal') }}
UNION ALL
SELECT
    s.track_id, 0, s.event_id, {{ at_face('s.x', 's.z', 's.tx') }}, {{ at_face('s.y', 's.z', 's.ty') }}, t.p, s.tx, s.ty,
    s.x, s.y, s.z, {{ codes.track_hit }}
FROM TrackStates AS s
JOIN Tracks AS t USING (track_id)
JOIN tmp_track_input AS i ON i.mcparticle_id = t.mcparticle_id
WHERE s.location = 'EndT' AND NOT i.is_e AND {{ conditions.calorimeter == 'event' }}
