{# 1: a cluster of its own; 2: one of the two photons of a merged pi0. #}
WITH drawn AS (
    SELECT mcparticle_id, category_at(mcparticle_id, 0, not_reconstructed, single) AS class FROM tmp_photon_efficiency
)
SELECT mcparticle_id, class FROM drawn WHERE class > 0
