-- What falls due by itself.
CREATE VIEW due AS
  SELECT 'RequestReviewOverdue' AS name, forum AS forum,
         'forums/' || forum || '/requests/' || id AS resource, review_overdue_date AS due_on
    FROM requests WHERE state = 'SUBMITTED' AND review_overdue_date IS NOT NULL
  UNION ALL
  SELECT 'SessionQuorumAtRisk' AS name, forum AS forum,
         'forums/' || forum || '/sessions/' || id AS resource, quorum_check_date AS due_on
    FROM sessions
   WHERE quorum_check_date IS NOT NULL AND state NOT IN ('HELD', 'CANCELLED')
  UNION ALL
  -- At once: the session was cancelled or the request withdrawn.
  SELECT 'ItemFellAway' AS name, items.forum AS forum,
         'forums/' || items.forum || '/items/' || items.id AS resource,
         requests.submit_date AS due_on
    FROM items
    JOIN requests ON requests.forum = items.forum AND requests.id = items.request_id
    JOIN sessions ON sessions.forum = items.forum AND sessions.id = items.session_id
   WHERE items.state = 'PLANNED'
     AND (sessions.state = 'CANCELLED' OR requests.state = 'WITHDRAWN');
