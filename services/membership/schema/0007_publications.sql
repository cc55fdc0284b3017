-- Figures on what members say of themselves: a record for each question and date, who was counted in which
-- row of a question, not what anybody said, and how many gave each answer at a forum's last row. No older program
-- runs on it: it would keep answers that nobody counts.
CREATE TABLE publications(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  question {text} NOT NULL, date {text} NOT NULL, base {int64} NOT NULL, figures {bytes},
  members {int64} NOT NULL, text {text} NOT NULL, imported {int64} NOT NULL, number {int64} NOT NULL,
  answered {int64} NOT NULL, since {bytes}, hash {text} NOT NULL,
  PRIMARY KEY (forum, id), UNIQUE (forum, question, number)) {strict};
CREATE INDEX publications_date ON publications(forum, date, id);
CREATE INDEX publications_question ON publications(forum, question, date, id);
CREATE TABLE counting(forum {text} NOT NULL, next_on {text} NOT NULL, PRIMARY KEY (forum)) {strict};
CREATE TABLE frozen(
  forum {text} NOT NULL, question {text} NOT NULL, answer {text} NOT NULL, people {int64} NOT NULL,
  PRIMARY KEY (forum, question, answer)) {strict};
CREATE TABLE counted(
  forum {text} NOT NULL, question {text} NOT NULL, member {text} NOT NULL,
  first_row {int64} NOT NULL,
  PRIMARY KEY (forum, question, member)) {strict};
CREATE VIEW due_figures(name, forum, resource, due_on) AS
  SELECT 'FiguresDue', f.forum, 'forums/' || f.forum, COALESCE(c.next_on, '')
  FROM forums f LEFT JOIN counting c ON c.forum = f.forum WHERE f.forum <> 'national'
  UNION ALL
  -- When each forum has done its part.
  SELECT 'NationalFiguresDue', 'national', 'forums/national', n.next_on
  FROM (SELECT COALESCE(MAX(next_on), '') AS next_on FROM counting WHERE forum = 'national') n
  WHERE n.next_on < (SELECT MIN(COALESCE(c.next_on, '')) FROM forums f
                     LEFT JOIN counting c ON c.forum = f.forum WHERE f.forum <> 'national');
