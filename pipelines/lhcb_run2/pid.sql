{# Every track has a row. Long and downstream tracks have everything, the muon likelihoods only where isMuon is set,
   because they are not defined elsewhere. Upstream tracks have only passed RICH1. #}
SELECT
    i.track_id,
    i.event_id,
    i.mcparticle_id,
    m.isMuon,
    coalesce(a.RichDLLe, u.RichDLLe) AS RichDLLe,
    coalesce(a.RichDLLmu, u.RichDLLmu) AS RichDLLmu,
    coalesce(a.RichDLLK, u.RichDLLK) AS RichDLLK,
    coalesce(a.RichDLLp, u.RichDLLp) AS RichDLLp,
    CASE WHEN m.isMuon THEN a.MuonMuLL END AS MuonMuLL,
    CASE WHEN m.isMuon THEN a.MuonBkgLL END AS MuonBkgLL,
    a.PIDe,
    a.PIDmu,
    a.PIDK,
    a.PIDp,
    a.ProbNNe,
    a.ProbNNmu,
    a.ProbNNpi,
    a.ProbNNk,
    a.ProbNNp,
    t.ghostProb AS ProbNNghost
FROM tmp_pid_input AS i
JOIN Tracks AS t USING (track_id)
LEFT JOIN tmp_is_muon AS m USING (track_id)
LEFT JOIN tmp_pid AS a USING (track_id)
LEFT JOIN tmp_upstream_rich AS u USING (track_id)
