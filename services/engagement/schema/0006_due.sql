-- What falls due by itself: the silence of one side, and influence feedback that was not given.
CREATE VIEW due AS
SELECT 'RecordSilence' AS name, forum, 'forums/' || forum || '/records/' || id AS resource,
       seals_on AS due_on
FROM records WHERE state = 'PROPOSED' AND seals_on IS NOT NULL
UNION ALL
SELECT 'InfluenceFeedbackOverdue', forum, 'forums/' || forum || '/influenceAccounts/' || id,
       overdue_from
FROM influence_accounts WHERE state = 'OPEN' AND answered_on IS NULL AND overdue_told = 0;
