SELECT i.mcparticle_id, x, y, z, log10_p, tx, ty, eta, phi, is_e, is_mu, is_h, charge
FROM tmp_accepted JOIN tmp_track_input AS i USING (mcparticle_id)
