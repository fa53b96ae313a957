SELECT mcparticle_id, x_ecal, y_ecal, portable_log10(p) AS log10_p, tx, ty, x, y, z, from_pi0, class
FROM tmp_photon_class JOIN tmp_photons USING (mcparticle_id)
