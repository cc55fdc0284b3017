-- What the forum set otherwise; NULL is the schema's default. Readable from version 0.1.
CREATE TABLE engagement_settings(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  draft_working_days {int64}, share_working_days {int64}, silence_working_days {int64},
  silence_notice_working_days {int64}, influence_days {int64}, most_postponements {int64},
  most_points {int64},
  PRIMARY KEY (forum, id)) {strict};
