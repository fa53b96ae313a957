SELECT mcparticle_id AS cluster_id, mcparticle_id, 0 AS part, event_id, 1.0 AS fraction
FROM tmp_photon_class JOIN tmp_photons USING (mcparticle_id)
