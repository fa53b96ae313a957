SELECT mcparticle_id
FROM tmp_acceptance
WHERE uniform_at(mcparticle_id, 0) < acceptance
