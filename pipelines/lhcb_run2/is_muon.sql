{% for species in ['electron', 'muon', 'pion', 'kaon', 'proton'] %}
SELECT track_id, uniform_at(track_id, 0) < isMuon_probability AS isMuon
FROM {{ ("tmp_is_muon_" ~ species) | identifier }}
{{ ("" if loop.last else "UNION ALL") | sql }}
{% endfor %}
