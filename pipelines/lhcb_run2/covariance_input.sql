SELECT
    mcparticle_id, x, y, z, tx, ty, log10_p, chi2PerDoF, nDoF, ghostProb,
    is_e, is_mu, is_h, is_long, is_upstream, is_downstream
FROM tmp_reconstructed
