-- A forum's rows of two questions together, for the figures of all forums: who was counted, as a row of figures
-- without figures.
CREATE TABLE unprinted(
  forum {text} NOT NULL, question {text} NOT NULL, number {int64} NOT NULL, date {text} NOT NULL,
  answered {int64} NOT NULL, members {int64} NOT NULL, record {bytes} NOT NULL,
  PRIMARY KEY (forum, question, number)) {strict};
