-- Forums, their partners, and grants of roles. Readable by every version from 0.1.0.
CREATE TABLE forums(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  display_name {text} NOT NULL,
  PRIMARY KEY (forum, id)) {strict};
CREATE TABLE partners(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  display_name {text} NOT NULL, kind {text} NOT NULL,
  PRIMARY KEY (forum, id)) {strict};
CREATE TABLE grants(
  forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL,
  issuer {text} NOT NULL, subject {text} NOT NULL, role {text} NOT NULL, partner_id {text} NOT NULL,
  person {text} NOT NULL, from_on {text} NOT NULL, until_on {text} NOT NULL,
  PRIMARY KEY (forum, id)) {strict};
CREATE INDEX grants_subject ON grants(issuer, subject);
