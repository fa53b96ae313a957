{# The covariance matrix from the model's logarithms of the diagonal and correlations. Where the
   correlations do not belong to a positive definite matrix they are shrunk by a common factor
   (correlation_shrink), which leaves the variances as they are. #}
{% set names = [0, 1, 2, 3, 4] %}
WITH sigma AS (
    SELECT
        mcparticle_id,
        corr01, corr02, corr12, corr03, corr13, corr23, corr04, corr14, corr24, corr34,
        {% for i in names %}
        portable_exp(0.5 * log_cov{{ i | string | sql }}{{ i | string | sql }}) AS s{{ i | string | sql }},
        {% endfor %}
        correlation_shrink(corr01, corr02, corr12, corr03, corr13, corr23, corr04, corr14, corr24, corr34) AS shrink
    FROM tmp_covariance
    LIMIT -1 {# evaluates every expression once, not once per use #}
)
SELECT
    2 * r.mcparticle_id - r.event_id AS trackstate_id,
    r.mcparticle_id AS track_id,
    'ClosestToBeam' AS location,
    r.event_id,
    r.mcparticle_id,
    r.x,
    r.y,
    r.z,
    r.tx,
    r.ty,
    r.charge / r.p AS qop,
    {% for i in names %}
    {% for j in names if j >= i %}
    {% set a = i | string | sql %}
    {% set b = j | string | sql %}
    {% if i == j %}
    s{{ a }} * s{{ a }} AS cov{{ a }}{{ a }}{{ "," | sql if i < 4 else "" | sql }}
    {% else %}
    shrink * corr{{ a }}{{ b }} * s{{ a }} * s{{ b }} AS cov{{ a }}{{ b }},
    {% endif %}
    {% endfor %}
    {% endfor %}
FROM sigma CROSS JOIN tmp_reconstructed AS r USING (mcparticle_id)
