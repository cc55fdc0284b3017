#!/usr/bin/env python3
"""Checks the sheets of the demo: python3 check_sheets.py [FOLDER]

Reads every sheet of the folder (default: warwickshire-2021-22 beside this file) and prints one line per violation:
file, line, column and reason. Ends with 1 if there is any, else prints the figures that the sheets bear and ends with 0.
Everything is worked out from the sheets; what they have to add up to stands in the table below.
"""
import hashlib
import os
import re
import sys
from datetime import date, timedelta

# ------------------------------------------------------------------ what has to come out
START, FIRST_HUB, END = date(2021, 7, 31), date(2021, 12, 3), date(2022, 6, 14)
MEMBERS = {START: 130, END: 254}
POOL = {FIRST_HUB: 4, END: 9}
WORKSTREAMS = {"WRITTEN_STATEMENT_OF_ACTION": 7, "CHANGE_PROGRAMME": 7, "BUSINESS_AS_USUAL": 13, "SENIOR_LEAD_VISIT": 4}
ENGAGEMENTS_ITEMS, ENGAGEMENTS_PREP, PREP_SIZES = 137, 13, [3, 3, 3, 4]
REPS_MIN, REPS_MAX = 3, 6
WELCOME, CLOSE, SESSION_MINUTES, FULLEST = 10, 5, 120, 115
HUB_DATES = [date(*d) for d in (
    (2021, 12, 3), (2021, 12, 17), (2021, 12, 31), (2022, 1, 14), (2022, 1, 28), (2022, 2, 11), (2022, 2, 25),
    (2022, 3, 11), (2022, 3, 25), (2022, 4, 8), (2022, 4, 22), (2022, 5, 6), (2022, 5, 20))]
CANCELLED = [date(2021, 12, 31)]
REVIEWS = [date(*d) for d in (
    (2021, 11, 26), (2021, 12, 10), (2021, 12, 24), (2022, 1, 7), (2022, 1, 21), (2022, 2, 4), (2022, 2, 18),
    (2022, 3, 4), (2022, 3, 18), (2022, 4, 1), (2022, 4, 14), (2022, 4, 29), (2022, 5, 13))]
BANK_HOLIDAYS = {date(*d) for d in (
    (2021, 8, 30), (2021, 12, 27), (2021, 12, 28), (2022, 1, 3), (2022, 4, 15), (2022, 4, 18), (2022, 5, 2),
    (2022, 6, 2), (2022, 6, 3))}
LEAD_DAYS, FEEDBACK_DAYS, DRAFT_DAYS, SHARE_DAYS, DECLARATION_DAYS, NOT_YET_MOST = 14, 60, 5, 10, 365, 2
TRIAGE_DAYS = 5
MILEAGE_RAISED = date(2022, 4, 25)
# title of the seed -> items; senior lead visits are counted by workstream
TITLES = {
    "Live Feedback Form": 2, "Communications": 1, "Local Offer": 1, "Autism Strategy": 1,
    "Information and Advice neurodevelopmental pathway": 1, "Pre and post diagnosis tender": 1,
    "Alternative Provision information": 2, "Annual reviews": 1, "Home to school transport": 1, "Tribunal project": 1,
    "Capital Strategy update": 1, "SEND and Inclusion toolkit": 1,
    "Review of WEST service": 1, "Exclusion film": 3, "Carers strategy": 1, "EOTAS": 1, "Family hubs": 1,
    "Trauma informed recovery service": 1, "Preparing for adulthood structure": 1, "School admissions": 1,
    "Short break provision": 1, "Short breaks funding bid": 1, "Re-tendering of the Alternative Provision framework": 1}
# an acronym of the seed's titles -> the words that explain it in the same row
ACRONYMS = {"SEND": "special educational needs and disabilities", "EOTAS": "education otherwise than at school",
            "WEST": "name of the service"}
DISTRICTS = {
    "Warwick": "CV8 CV31 CV32 CV33 CV34 CV35", "North Warwickshire": "B46 CV9",
    "Nuneaton and Bedworth": "CV10 CV11 CV12", "Rugby": "CV21 CV22 CV23",
    "Stratford-on-Avon": "B49 B50 B80 B95 CV36 CV37 CV47"}
OUTSIDE = "Outside Warwickshire"
# surnames that stand in the seed document and must not stand here, as the first 12 digits of their SHA-256
NOT_HERE = set("""4c3f37b74bb8 4900c08512b6 9d5c39d217dc fae5f632c708 cb54e269ac20
3eb906846fa9 6a83384e3d1a df4b1086ed85 c53e07f711c9""".split())
MOST_BYTES, MOST_WORDS = 200, 25

STAGES = ["IDEA", "OPTIONS", "DRAFT", "DECIDED"]
ENUMS = {
    "Kind@partners": "COUNCIL HEALTH", "Roles": "FACILITATOR REQUESTOR PARTICIPATION_LEAD FUNDER",
    "Lives or uses services here": "LIVES USES_SERVICES",
    "Forum role": "CHAIR VICE_CHAIR TREASURER MEMBERSHIP_ADMIN SAFEGUARDING_LEAD",
    "Reach by": "EMAIL PHONE TEXT POST", "Format": "STANDARD LARGE_PRINT EASY_READ AUDIO",
    "News": "yes no", "Invitations": "yes no", "Surveys": "yes no", "First name shown": "yes no",
    "Late": "yes no", "Came": "yes no", "Invented": "yes no",
    "Declaration": "NIL INTERESTS", "Kind@interests": "FINANCIAL NON_FINANCIAL INDIRECT",
    "Party kind": "PARTNER_TEAM SUPPLIER MATTER", "Series": "HUB PREP BOARD", "Place": "ONLINE FACE_TO_FACE",
    "Preparation": "HELD IN_WRITING DECLINED", "Ends as@sessions": "HELD CANCELLED",
    "Workstream": " ".join(WORKSTREAMS), "Purpose@requests": "UPDATE DISCUSSION OVERSIGHT CO_DESIGN",
    "Purpose@projects": "UPDATE DISCUSSION OVERSIGHT CO_DESIGN",
    "Decision stage": " ".join(STAGES), "Stage felt": " ".join(STAGES),
    "Ends as@requests": "PRESENTED REFUSED DECLINED WITHDRAWN", "Further involvement": "NONE UPDATE RETURN CO_DESIGN",
    "Reply": "YES MAYBE NO", "Sealed as": "AGREED NOT_DISPUTED", "Kind@entries": "VIEW QUESTION ACTION OUTCOME",
    "Answer@feedback": "CHANGED PARTLY NOT_CHANGED NOT_YET", "In danger": "yes no", "Demand": "VALUE FAILURE",
    "Kinds of activity": "HUB PREP BOARD PRIORITY PROJECT",
    "Kind@projects": "PROJECT", "Answer@projects": "REFUSED", "Kind@rates": "MILEAGE FEE", "Mode": "CAR",
    "Per": "MILE 120_MINUTES", "Ends as@claims": "SUBMITTED RETURNED APPROVED PAID"}

# sheet -> key pattern and columns; * may be empty, + is a list parted by '; ', d date, n whole number, p pounds,
# m miles in tenths, t time, x prose, >sheet a key of that sheet
SHEETS = {
    "partners": (r"[a-z]{3}", "Key|Id|Kind|Name|From:d"),
    "officers": (r"O\d\d", "Key|Name|Partner:>partners|Team|Job|Roles:+|E-mail"),
    "members": (r"M\d\d\d", "Key|First name|Last name|E-mail|Phone|Postcode district|Area|Lives or uses services here|Joined:d|"
                "Left:*d|Why left:*x|Forum role:*|Reach by|Format|News|Invitations|Surveys|"
                "First name shown"),
    "reps": (r"R\d\d", "Key|Member:>members|Applied:d|Induction done:d|Code version:n|Code accepted:d|Terms version:n|"
             "Terms accepted:d|Declaration made:d|Declaration|Activated:d|Paused from:*d|Back on:*d|Most hours a month:n"),
    "interests": (r"N\d\d", "Key|Rep:>reps|Declared:d|Kind|Party kind|Partner:*>partners|Party|Since:d|Until:*d|What it is:x"),
    "sessions": (r"[SPB]\d\d", "Key|Series|Title|Date:d|Start:t|Minutes:n|Place|For session:*>sessions|Chair:>members|"
                 "Facilitator:>officers|Fewest reps:n|Most reps:n|Planned on:d|Link person:*>officers|Brief:*x|Preparation:*|"
                 "About the preparation:*x|Agenda proposed:*d|Agenda agreed by forum:*d|Agenda agreed by partner:*d|"
                 "Face to face agreed by forum:*d|Face to face agreed by partner:*d|Ends as|Why held without a quorum:*x|Cancelled on:*d|"
                 "Why cancelled:*x"),
    "requests": (r"RQ\d\d", "Key|Partner:>partners|Team|Requestor:>officers|Title:x|Matter|Supplier:*|Workstream|Purpose|"
                 "Decision stage|What it is about:x|What can still change:x|What cannot change:x|Who decides:x|Minutes wanted:n|"
                 "Needed by:d|Session asked for:>sessions|Papers:x|Who will attend:+>officers|Follows item:*>items|Submitted:d|"
                 "Late|Waived by:*>members|Waived on:*d|Waiver reason:*x|More information asked on:*d|What was asked:*x|"
                 "Information given on:*d|Accepted by forum:*d|Accepted by partner:*d|Declined on:*d|Decline reason:*x|"
                 "Withdrawn on:*d|Withdrawal reason:*x|Ends as"),
    "items": (r"I\d\d", "Key|Request:>requests|Session:>sessions|Position:n|Put on the agenda:d|Minutes planned:n|"
              "Minutes actual:n|Why not the session asked for:*x|Stage felt|Stage felt on:d|Further involvement:*|"
              "Further involvement decided on:*d"),
    "invitations": ("", "Session:>sessions|Rep:>reps|Invited:d|Reply|Replied:d"),
    "attendance": ("", "Session:>sessions|Item:*>items|Rep:>reps|Allocated:d|Came|Note:*x"),
    "records": (r"RC\d\d", "Key|Item:>items|Drafted:d|Proposed:d|Agreed by forum:*d|Agreed by partner:*d|Sealed as|Sealed on:d|"
                "Shared:d"),
    "entries": (r"E\d\d\d", "Key|Record:>records|Kind|Text:x|Written:d|Corrects:*>entries"),
    "feedback": (r"F\d\d", "Key|Item:>items|Given by:>officers|Given:d|Answer|What changed:*x|Why not, or not all:*x|Link:*|"
                 "New date:*d"),
    "feedback-points": ("", "Feedback:>feedback|Entry:>entries|Answer to the point:x"),
    "live-feedback": (r"L\d\d", "Key|Received:d|Theme:*|Text:x|In danger|Triaged:*d|Triaged by:*>members|Demand:*|"
                      "Cleared text:*x"),
    "funds": (r"G\d\d", "Key|Name|Giver|From:d|Until:d|Pounds:p|Kinds of activity:+|Opened:d"),
    "rates": (r"T\d\d", "Key|Kind|Mode:*|Pounds:p|Per|From:d|Until:*d|Set on:d|Invented|Note:x"),
    "projects": (r"PJ\d\d", "Key|Title:x|Kind|Partner:>partners|Team|Requestor:>officers|Workstream|Purpose|Decision stage|"
                 "What can still change:x|What cannot change:x|Who decides:x|Minutes wanted:n|Needed by:d|Papers:x|Asked on:d|"
                 "Rep hours:n|Pounds:p|Fund tried:>funds|Answer|Funds that could pay:+>funds|Fund agreed:>funds|Agreed on:d"),
    "journeys": (r"J\d\d", "Key|Rep:>reps|Session:>sessions|Date:d|Mode|Miles:m|Purpose:x|Claim:>claims"),
    "claims": (r"C\d\d", "Key|Rep:>reps|Session:>sessions|Fund:>funds|Fee pounds:p|Mileage pounds:p|Total pounds:p|Submitted:d|"
               "Returned:*d|Why returned:*x|Submitted again:*d|Approved:*d|Approved by:*>members|Paid:*d|Paid by:*>members|Ends as"),
}
# what a partner's or the forum's officers do falls on working days
WORKING = {
    "sessions": ["Date", "Planned on", "Agenda proposed", "Agenda agreed by forum", "Agenda agreed by partner", "Cancelled on"],
    "requests": ["Submitted", "Waived on", "More information asked on", "Information given on", "Accepted by forum",
                 "Accepted by partner", "Declined on", "Withdrawn on"],
    "items": ["Put on the agenda", "Further involvement decided on"],
    "records": ["Drafted", "Proposed", "Agreed by forum", "Agreed by partner", "Sealed on", "Shared"],
    "feedback": ["Given"], "live-feedback": ["Triaged"], "funds": ["Opened"], "claims": ["Approved", "Paid"]}
# dates that may lie outside the half year that is played
FREE = {("members", "Joined"), ("interests", "Since"), ("interests", "Until"), ("requests", "Needed by"), ("feedback", "New date"),
        ("projects", "Needed by"),
        ("funds", "From"), ("funds", "Until"), ("rates", "From"), ("rates", "Until")}

errors = []


def bad(where, column, reason):
    """where: a row, or a pair of file and line."""
    file, line = where if isinstance(where, tuple) else (where["#file"], where["#line"])
    errors.append((file, line, column, reason))


def working(d):
    return d.weekday() < 5 and d not in BANK_HOLIDAYS


def add_working(d, n):
    while n:
        d += timedelta(1)
        n -= working(d)
    return d


def uk(d):
    return d.strftime("%d/%m/%Y")


# ------------------------------------------------------------------ reading
def parse(text, file):
    """RFC 4180, strictly: [(line, [cell, ...]), ...]"""
    rows, cells, cell, i, line, first = [], [], [], 0, 1, 1
    quoted = closed = False
    text = text.replace("\r\n", "\n")
    if text and not text.endswith("\n"):
        bad((file, text.count("\n") + 1), "-", "the last line does not end")
        text += "\n"
    while i < len(text):
        c = text[i]
        if quoted:
            if c == '"' and text[i + 1:i + 2] == '"':
                cell.append('"')
                i += 1
            elif c == '"':
                quoted, closed = False, True
            else:
                line += c == "\n"
                cell.append(c)
        elif c == '"' and not cell and not closed:
            quoted = True
        elif c == '"':
            bad((file, line), "-", "a quote inside a cell that is not quoted")
        elif c in ",\n":
            cells.append("".join(cell))
            cell, closed = [], False
            if c == "\n":
                rows.append((first, cells))
                cells, line = [], line + 1
                first = line
        else:
            if closed:
                bad((file, line), "-", "text after a closing quote")
            cell.append(c)
        i += 1
    if quoted:
        bad((file, first), "-", "a quote that is not closed")
    return rows


def read_date(row, column, s):
    m = re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})", s)
    try:
        return date(int(m[3]), int(m[2]), int(m[1]))
    except (TypeError, ValueError):
        bad(row, column, "%r is not a date dd/mm/yyyy" % s)
        return None


def read_cell(sheet, row, column, mark, s):
    if s != s.strip():
        bad(row, column, "spaces before or after")
    if any(ord(c) < 32 for c in s):
        bad(row, column, "a line break or control character")
    if len(s.encode()) > MOST_BYTES:
        bad(row, column, "%d bytes, at most %d" % (len(s.encode()), MOST_BYTES))
    for word in re.findall(r"[^\W\d_]+", s):
        if hashlib.sha256(word.lower().encode()).hexdigest()[:12] in NOT_HERE:
            bad(row, column, "the name of a real person")
    if not s:
        if "*" not in mark:
            bad(row, column, "empty")
        return [] if "+" in mark else None if set("dnpmt>") & set(mark) else ""
    allowed = ENUMS.get(column + "@" + sheet, ENUMS.get(column))
    values = s.split("; ") if "+" in mark else [s]
    if allowed:
        for v in values:
            if v not in allowed.split():
                bad(row, column, "%r is none of %s" % (v, allowed))
    if "+" in mark:
        return values
    if ">" in mark:
        return s
    if "d" in mark:
        return read_date(row, column, s)
    shape = {"n": r"\d+", "p": r"\d+\.\d\d", "m": r"\d+\.\d", "t": r"([01]\d|2[0-3]):[0-5]\d"}
    for kind, pattern in shape.items():
        if kind in mark:
            if not re.fullmatch(pattern, s):
                bad(row, column, "%r is not of the form %s" % (s, pattern))
                return None
            return s if kind == "t" else int(s.replace(".", ""))
    if "x" in mark:
        for sentence in re.split(r"(?<=[.?!])\s+", s):
            if len(sentence.split()) > MOST_WORDS:
                bad(row, column, "a sentence of more than %d words" % MOST_WORDS)
    return s


def read(folder):
    tables = {}
    if not os.path.isdir(folder):
        sys.exit("%s:0: -: no such folder" % folder)
    for name in sorted(os.listdir(folder)):
        if name.endswith(".csv") and name[:-4] not in SHEETS:
            bad((name, 0), "-", "a sheet that nobody knows")
    for sheet, (pattern, spec) in SHEETS.items():
        file, columns = sheet + ".csv", []
        for part in spec.split("|"):
            column, _, mark = part.partition(":")
            columns.append((column, mark))
        tables[sheet] = []
        try:
            with open(os.path.join(folder, file), "rb") as f:
                raw = f.read()
            text = raw.decode("utf-8")
        except OSError:
            bad((file, 0), "-", "no such sheet")
            continue
        except UnicodeDecodeError as e:
            bad((file, raw[:e.start].count(b"\n") + 1), "-", "not UTF-8")
            continue
        rows = parse(text, file)
        want = [c for c, _ in columns]
        if not rows or rows[0][1] != want:
            bad((file, 1), "-", "the header is not: " + ",".join(want))
            continue
        seen = {}
        for line, cells in rows[1:]:
            if len(cells) != len(want):
                bad((file, line), "-", "%d cells, not %d" % (len(cells), len(want)))
                continue
            row = {"#file": file, "#line": line}
            for (column, mark), s in zip(columns, cells):
                row[column] = read_cell(sheet, row, column, mark, s)
                d = row[column]
                if isinstance(d, date):
                    if (sheet, column) not in FREE and not START <= d <= END:
                        bad(row, column, "%s is not between %s and %s" % (uk(d), uk(START), uk(END)))
                    if column in WORKING.get(sheet, []) and not working(d):
                        bad(row, column, "%s is a weekend or a bank holiday" % uk(d))
            if pattern:
                if not re.fullmatch(pattern, row["Key"]):
                    bad(row, "Key", "%r is not of the form %s" % (row["Key"], pattern))
                if row["Key"] in seen:
                    bad(row, "Key", "stands already in line %d" % seen[row["Key"]])
                seen[row["Key"]] = line
            tables[sheet].append(row)
        if not tables[sheet]:
            bad((file, 1), "-", "no rows")
    return tables


def check_documents(folder):
    """What reps accept and what stands before live feedback, in words that everybody can read."""
    for name in ("code-of-conduct.txt", "terms-of-reference.txt", "danger-notice.txt"):
        try:
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                lines = f.read().splitlines()
        except (OSError, UnicodeDecodeError):
            bad((name, 0), "-", "no such document, or not UTF-8")
            continue
        for n, line in enumerate(lines, 1):
            if line:
                read_cell("documents", {"#file": name, "#line": n}, "-", "x", line)


def references(t):
    keys = {sheet: {r["Key"] for r in rows if "Key" in r} for sheet, rows in t.items()}
    for sheet, (_, spec) in SHEETS.items():
        for part in spec.split("|"):
            column, _, mark = part.partition(":")
            if ">" in mark:
                to = mark.split(">")[1]
                for row in t[sheet]:
                    v = row[column]
                    for k in v if isinstance(v, list) else [v] if v else []:
                        if k not in keys[to]:
                            bad(row, column, "%r is not in %s.csv" % (k, to))


# ------------------------------------------------------------------ the rules
def after(row, *columns, strict=False):
    """The dates of these columns, as far as they are there, stand in this order."""
    have = [(c, row[c]) for c in columns if row[c]]
    for (a, x), (b, y) in zip(have, have[1:]):
        if y < x or strict and y == x:
            bad(row, b, "%s is %s %s (%s)" % (uk(y), "not after" if strict else "before", a, uk(x)))


def together(row, *columns):
    """All of these cells are filled, or none."""
    filled = [c for c in columns if row[c]]
    if filled and len(filled) < len(columns):
        bad(row, [c for c in columns if not row[c]][0], "empty, though %s is filled" % filled[0])
    return bool(filled)


def check_people(t, m):
    areas = {d: a for a, ds in DISTRICTS.items() for d in ds.split()}
    mail, phone, names, roles = {}, {}, {}, {}
    for r in t["members"]:
        if not re.fullmatch(r"[a-z0-9.'-]+@example\.(org|com|net)", r["E-mail"]):
            bad(r, "E-mail", "not an address at example.org, .com or .net")
        if not re.fullmatch(r"07700 900\d{3}", r["Phone"]):
            bad(r, "Phone", "not a number of the range 07700 900000 to 900999")
        d = r["Postcode district"]
        if r["Area"] != areas.get(d, OUTSIDE):
            bad(r, "Area", "district %s belongs to %s" % (d, areas.get(d, OUTSIDE)))
        if not re.fullmatch(r"[A-Z]{1,2}\d{1,2}", d):
            bad(r, "Postcode district", "not a postcode district")
        if (r["Lives or uses services here"] == "LIVES") != (d in areas):
            bad(r, "Lives or uses services here", "does not fit the postcode district")
        if r["Joined"] and not date(2021, 5, 1) <= r["Joined"] <= END:
            bad(r, "Joined", "not between May 2021 and the end")
        for c in ("Joined", "Left"):
            if r[c] in MEMBERS:
                bad(r, c, "on a day of counting: whether it counts would be a matter of taste")
        if bool(r["Left"]) != bool(r["Why left"]):
            bad(r, "Why left", "goes with Left")
        after(r, "Joined", "Left", strict=True)
        other = mail.setdefault(r["E-mail"], r)
        line = phone.setdefault(r["Phone"], r)
        if line is not r and line["E-mail"] != r["E-mail"]:
            bad(r, "Phone", "is the number of %s too, who has another mailbox" % line["Key"])
        if other is not r and other["Last name"] != r["Last name"]:
            bad(r, "E-mail", "shared with %s of another name" % other["Key"])
        full = (r["First name"], r["Last name"])
        if names.setdefault(full, r) is not r:
            bad(r, "Last name", "same name as %s" % names[full]["Key"])
        if r["Forum role"]:
            if roles.setdefault(r["Forum role"], r) is not r:
                bad(r, "Forum role", "%s has it already" % roles[r["Forum role"]]["Key"])
            if r["Left"]:
                bad(r, "Left", "holds a role of the forum")
    end = ("members.csv", 0)
    shared = len(t["members"]) - len(mail)
    if shared < 2:
        bad(end, "E-mail", "at least two couples share a mailbox, here %d" % shared)
    for role in ENUMS["Forum role"].split():
        if role not in roles:
            bad(end, "Forum role", "nobody is %s" % role)
    if not any(r["Area"] == OUTSIDE for r in t["members"]):
        bad(end, "Area", "nobody from outside uses services here")
    for day, want in MEMBERS.items():
        n = members_at(t, day)
        if n != want:
            bad(end, "Joined", "%d active members on %s, not %d" % (n, uk(day), want))
    for c, word in (("Joined", "joins"), ("Left", "leaves")):
        if not any(r[c] and START < r[c] < END for r in t["members"]):
            bad(end, c, "nobody %s in between" % word)
    for r in t["officers"]:
        if not re.fullmatch(r"[a-z0-9.'-]+@[a-z]+\.example\.org", r["E-mail"]):
            bad(r, "E-mail", "not an address under example.org")
    for kind in ("COUNCIL", "HEALTH"):
        if not any(r["Kind"] == kind for r in t["partners"]):
            bad(("partners.csv", 0), "Kind", "no partner of kind %s" % kind)
    for p in t["partners"]:
        if not any(o["Partner"] == p["Key"] and "FACILITATOR" in o["Roles"] for o in t["officers"]):
            bad(p, "Key", "has no facilitator, who gives its word")
    ids = {r["Key"]: r["Id"] for r in t["partners"]}
    if ids != {"wcc": "wcc", "ccg": "coventry-warwickshire-ccg"}:
        bad(("partners.csv", 0), "Id", "the partners are wcc and coventry-warwickshire-ccg")


def members_at(t, day):
    return sum(bool(r["Joined"]) and r["Joined"] <= day and not (r["Left"] and r["Left"] <= day) for r in t["members"])


def active(rep, day):
    return rep["Activated"] <= day and not (rep["Paused from"] and rep["Paused from"] <= day < (rep["Back on"] or date.max))


def standing(rep, day):
    return active(rep, day) and (day - rep["Declaration made"]).days < DECLARATION_DAYS


def check_reps(t, m):
    own, days = {}, {}
    for r in t["reps"]:
        person = m["members"].get(r["Member"])
        if own.setdefault(r["Member"], r) is not r:
            bad(r, "Member", "is %s already" % own[r["Member"]]["Key"])
        if person:
            if person["Joined"] and r["Applied"] and r["Applied"] < person["Joined"]:
                bad(r, "Applied", "before joining as a member")
            if person["Left"]:
                bad(r, "Member", "has left the forum")
            if person["Forum role"]:
                bad(r, "Member", "is %s: chair, vice chair and officers of the forum are not reps" % person["Forum role"])
        for c in ("Induction done", "Code accepted", "Terms accepted", "Declaration made"):
            after(r, "Applied", c, "Activated")
        after(r, "Activated", "Paused from", "Back on", strict=True)
        if r["Back on"] and not r["Paused from"]:
            bad(r, "Back on", "was never paused")
        if r["Activated"]:
            if days.setdefault(r["Activated"], r) is not r:
                bad(r, "Activated", "on the same day as %s: the pool grows one by one" % days[r["Activated"]]["Key"])
        if r["Declaration made"] and (END - r["Declaration made"]).days >= DECLARATION_DAYS:
            bad(r, "Declaration made", "older than 12 months before %s" % uk(END))
        mine = [i for i in t["interests"] if i["Rep"] == r["Key"]]
        if (r["Declaration"] == "INTERESTS") != bool(mine):
            bad(r, "Declaration", "%d interests in interests.csv" % len(mine))
        for i in mine:
            if i["Declared"] != r["Declaration made"]:
                bad(i, "Declared", "is not the day of the declaration of %s" % r["Key"])
            after(i, "Since", "Until")
    end = ("reps.csv", 0)
    for day, want in POOL.items():
        n = sum(active(r, day) for r in t["reps"])
        if n != want:
            bad(end, "Activated", "%d reps in the pool on %s, not %d" % (n, uk(day), want))
    if not any(r["Paused from"] and r["Back on"] and (r["Back on"] - r["Paused from"]).days >= 14 for r in t["reps"]):
        bad(end, "Paused from", "nobody is paused for some weeks and back")
    if {r["Declaration"] for r in t["reps"]} != {"NIL", "INTERESTS"}:
        bad(end, "Declaration", "some are nil and some are not")


def conflicts(t, rep, request, day):
    for i in t["interests"]:
        if i["Rep"] == rep and i["Since"] <= day and not (i["Until"] and i["Until"] < day):
            if i["Party kind"] == "MATTER" and i["Party"] == request["Matter"]:
                return i
            if i["Party kind"] == "SUPPLIER" and i["Party"] == request["Supplier"]:
                return i
            if i["Party kind"] == "PARTNER_TEAM" and (i["Partner"], i["Party"]) == (request["Partner"], request["Team"]):
                return i
    return None


def check_sessions(t, m):
    hub = [s for s in t["sessions"] if s["Series"] == "HUB"]
    end = ("sessions.csv", 0)
    if [s["Date"] for s in hub] != HUB_DATES:
        bad(end, "Date", "the hub sessions are not the generated Fridays, in order")
    if [s["Date"] for s in hub if s["Ends as"] == "CANCELLED"] != CANCELLED:
        bad(end, "Ends as", "cancelled is 31/12/2021 and nothing else")
    for s in t["sessions"]:
        letter = {"HUB": "S", "PREP": "P", "BOARD": "B"}.get(s["Series"], "?")
        if s["Key"][0] != letter:
            bad(s, "Key", "of a %s session begins with %s" % (s["Series"], letter))
        chair, lead = m["members"].get(s["Chair"]), m["officers"].get(s["Facilitator"])
        if chair and chair["Forum role"] not in ("CHAIR", "VICE_CHAIR"):
            bad(s, "Chair", "is neither chair nor vice chair")
        if lead and "FACILITATOR" not in lead["Roles"]:
            bad(s, "Facilitator", "has no such role")
        after(s, "Planned on", "Date", strict=True)
        face = together(s, "Face to face agreed by forum", "Face to face agreed by partner")
        if face != (s["Place"] == "FACE_TO_FACE"):
            bad(s, "Place", "face to face goes with the consent of both sides")
        for c in ("Face to face agreed by forum", "Face to face agreed by partner"):
            after(s, "Planned on", c, "Date", strict=False)
        if together(s, "Cancelled on", "Why cancelled") != (s["Ends as"] == "CANCELLED"):
            bad(s, "Cancelled on", "goes with CANCELLED")
        after(s, "Planned on", "Cancelled on", "Date", strict=True)
        if s["Why held without a quorum"]:
            bad(s, "Why held without a quorum", "every session of the half year had its quorum")
        if s["Series"] == "HUB":
            if s["Date"] and s["Date"].weekday() != 4 or (s["Start"], s["Minutes"]) != ("11:00", SESSION_MINUTES):
                bad(s, "Start", "the hub is on Fridays from 11:00 for %d minutes" % SESSION_MINUTES)
            if (s["Fewest reps"], s["Most reps"]) != (REPS_MIN, REPS_MAX):
                bad(s, "Fewest reps", "the hub wants %d to %d reps" % (REPS_MIN, REPS_MAX))
        agenda = ["Link person", "Brief", "Preparation", "Agenda proposed", "Agenda agreed by forum", "Agenda agreed by partner"]
        if together(s, *agenda) != (s["Series"] == "HUB" and s["Ends as"] == "HELD"):
            bad(s, "Agenda proposed", "every hub session that is held has an agenda, and no other")
        for c in agenda[4:]:
            after(s, "Planned on", "Agenda proposed", c)
            after(s, c, "Date", strict=True)
        before = [p for p in t["sessions"] if p["Series"] == "PREP" and p["For session"] == s["Key"]]
        if (s["Preparation"] == "HELD") != bool(before):
            bad(s, "Preparation", "HELD goes with a prep session for it")
        if bool(s["About the preparation"]) != (s["Preparation"] in ("IN_WRITING", "DECLINED")):
            bad(s, "About the preparation", "says when it was sent or why there was none, else nothing")
        for p in before:
            for c in agenda[4:]:
                if s[c] and p["Date"] and s[c] < p["Date"]:
                    bad(s, c, "before the preparation %s is held" % p["Key"])
        if (s["Series"] == "PREP") != bool(s["For session"]):
            bad(s, "For session", "goes with PREP")
        if s["Series"] == "PREP" and s["For session"] in m["sessions"]:
            to = m["sessions"][s["For session"]]
            if to["Series"] != "HUB" or to["Ends as"] != "HELD" or not 1 <= (to["Date"] - s["Date"]).days <= 7:
                bad(s, "For session", "a prep session is some days before a hub session that is held")
        if s["Series"] != "HUB" and s["Ends as"] != "HELD":
            bad(s, "Ends as", "only a hub session is cancelled here")
    if sum(s["Series"] == "PREP" for s in t["sessions"]) != len(PREP_SIZES):
        bad(end, "Series", "there are %d prep sessions" % len(PREP_SIZES))
    if not 2 <= sum(s["Series"] == "BOARD" for s in t["sessions"]) <= 3:
        bad(end, "Series", "there are two or three board sessions")


def check_requests(t, m):
    item_of = {}
    for i in t["items"]:
        if item_of.setdefault(i["Request"], i) is not i:
            bad(i, "Request", "is the request of %s too" % item_of[i["Request"]]["Key"])
    follows = {}
    for r in t["requests"]:
        o = m["officers"].get(r["Requestor"])
        if o and (o["Partner"], o["Team"]) != (r["Partner"], r["Team"]):
            bad(r, "Team", "is not the team of %s" % o["Key"])
        if o and "REQUESTOR" not in o["Roles"]:
            bad(r, "Requestor", "has no such role")
        if r["Requestor"] not in r["Who will attend"]:
            bad(r, "Who will attend", "the requestor comes too")
        for k in r["Who will attend"]:
            if k in m["officers"] and m["officers"][k]["Partner"] != r["Partner"] and k == r["Requestor"]:
                bad(r, "Who will attend", "%s is of another partner" % k)
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", r["Matter"]):
            bad(r, "Matter", "small letters and hyphens")
        nothing = r["What can still change"].rstrip(".").lower() == "nothing"
        if nothing != (r["Decision stage"] == "DECIDED"):
            bad(r, "What can still change", "nothing can change goes with DECIDED")
        refused = r["Decision stage"] == "DECIDED" and r["Purpose"] != "UPDATE"
        if refused != (r["Ends as"] == "REFUSED"):
            bad(r, "Ends as", "DECIDED with a purpose other than UPDATE is refused, and nothing else")
        if not 1 <= (r["Minutes wanted"] or 0) <= SESSION_MINUTES - WELCOME - CLOSE:
            bad(r, "Minutes wanted", "does not fit a session")
        s, day = m["sessions"].get(r["Session asked for"]), r["Submitted"]
        if not s or not day:
            continue
        if s["Series"] != "HUB" or s["Planned on"] > day:
            bad(r, "Session asked for", "is not a hub session planned by then")
        if s["Cancelled on"] and s["Cancelled on"] <= day:
            bad(r, "Session asked for", "was cancelled by then")
        if s["Date"] <= day:
            bad(r, "Submitted", "not before the session asked for")
        late = (s["Date"] - day).days < LEAD_DAYS
        if late != (r["Late"] == "yes"):
            bad(r, "Late", "%d days before the session asked for" % (s["Date"] - day).days)
        if together(r, "Waived by", "Waived on", "Waiver reason") != late:
            bad(r, "Waived by", "a late request, and no other, needs the chair's waiver with a reason")
        if r["Waived by"] and m["members"].get(r["Waived by"], {}).get("Forum role") != "CHAIR":
            bad(r, "Waived by", "only the chair can waive")
        after(r, "Submitted", "Waived on")
        asked = together(r, "More information asked on", "What was asked", "Information given on")
        after(r, "Submitted", "More information asked on", "Information given on", strict=True)
        if asked and r["More information asked on"] not in REVIEWS:
            bad(r, "More information asked on", "is not a review day")
        ready = r["Information given on"] or day
        review = next((d for d in REVIEWS if d > ready), None)
        if late and r["Waived on"] == day:
            review = day
        if asked and r["More information asked on"] != next((d for d in REVIEWS if d > day), None):
            bad(r, "More information asked on", "is not the first review after submission")
        accepted = together(r, "Accepted by forum", "Accepted by partner")
        if accepted != (r["Ends as"] == "PRESENTED"):
            bad(r, "Accepted by forum", "is filled for what is presented, and for nothing else here")
        if accepted and r["Accepted by forum"] and r["Accepted by partner"]:
            both = max(r["Accepted by forum"], r["Accepted by partner"])
            if both != review:
                bad(r, "Accepted by forum", "both sides have accepted on %s, the review is on %s" % (uk(both), review and uk(review)))
            for c in ("Accepted by forum", "Accepted by partner"):
                after(r, "Submitted", c)
                if r[c] < ready:
                    bad(r, c, "before the information was given")
                if r["Waived on"] and r["Waived on"] > r[c]:
                    bad(r, c, "before the waiver")
        if together(r, "Declined on", "Decline reason") != (r["Ends as"] == "DECLINED"):
            bad(r, "Declined on", "goes with DECLINED and its reason")
        if r["Declined on"] and r["Declined on"] != review:
            bad(r, "Declined on", "is not the review day %s" % (review and uk(review)))
        if together(r, "Withdrawn on", "Withdrawal reason") != (r["Ends as"] == "WITHDRAWN"):
            bad(r, "Withdrawn on", "goes with WITHDRAWN and its reason")
        if r["Withdrawn on"] and review and not day <= r["Withdrawn on"] < review:
            bad(r, "Withdrawn on", "is not between submission and review")
        if (r["Key"] in item_of) != (r["Ends as"] == "PRESENTED"):
            bad(r, "Ends as", "PRESENTED goes with an item")
        if r["Follows item"]:
            f = m["items"].get(r["Follows item"])
            if follows.setdefault(r["Follows item"], r) is not r:
                bad(r, "Follows item", "%s follows it already" % follows[r["Follows item"]]["Key"])
            if f:
                if f["Further involvement"] in ("", "NONE"):
                    bad(r, "Follows item", "the forum decided no further involvement")
                if f["Further involvement decided on"] and f["Further involvement decided on"] >= day:
                    bad(r, "Submitted", "not after the decision on %s" % f["Key"])
                q = m["requests"].get(f["Request"])
                if q and (q["Requestor"], q["Matter"]) != (r["Requestor"], r["Matter"]):
                    bad(r, "Follows item", "of another requestor or matter")
        elif r["Title"].partition(":")[0] in [n for n in TITLES if TITLES[n] > 1] and ":" in r["Title"]:
            bad(r, "Follows item", "empty for a title that returns")
    end = ("requests.csv", 0)
    for how in ("REFUSED", "DECLINED", "WITHDRAWN"):
        n = sum(r["Ends as"] == how for r in t["requests"])
        if n != 1:
            bad(end, "Ends as", "%d requests are %s, not 1" % (n, how))
    held = [m["requests"][i["Request"]] for i in t["items"] if i["Request"] in m["requests"]]
    for w, want in WORKSTREAMS.items():
        n = sum(r["Workstream"] == w for r in held)
        if n != want:
            bad(end, "Workstream", "%d items of %s, not %d" % (n, w, want))
    for title, want in TITLES.items():
        n = sum(r["Title"] == title or r["Title"].startswith(title + ":") for r in held)
        if n != want:
            bad(end, "Title", "%d items of %r, not %d" % (n, title, want))
    for r in held:
        visit = r["Workstream"] == "SENIOR_LEAD_VISIT"
        if visit and not re.search(r"\b(director|head of)\b", r["Title"]):
            bad(r, "Title", "a visit is titled by role")
        if not visit and not any(r["Title"] == n or r["Title"].startswith(n + ":") for n in TITLES):
            bad(r, "Title", "is not a title of the seed")
    decided = sum(r["Decision stage"] == "DECIDED" for r in held)
    if not 2 <= decided <= 5:
        bad(end, "Decision stage", "%d items were DECIDED, a few are wanted" % decided)
    if not any(r["Late"] == "yes" for r in held) or sum(r["Late"] == "yes" for r in held) > len(held) / 2:
        bad(end, "Late", "some are late, and not most")
    if not any(r["Waived on"] == r["Submitted"] for r in held if r["Late"] == "yes"):
        bad(end, "Waived on", "none is reviewed on the day it comes in")
    if not any(r["More information asked on"] for r in held):
        bad(end, "More information asked on", "nobody was asked for more")


def check_items(t, m):
    sums, actual, places, felt_later, moved = {}, {}, {}, 0, 0
    for i in t["items"]:
        r, s = m["requests"].get(i["Request"]), m["sessions"].get(i["Session"])
        if not r or not s:
            continue
        if s["Series"] != "HUB" or s["Ends as"] != "HELD":
            bad(i, "Session", "is not a hub session that was held")
            continue
        sums[s["Key"]] = sums.get(s["Key"], 0) + i["Minutes planned"]
        actual[s["Key"]] = actual.get(s["Key"], 0) + i["Minutes actual"]
        places.setdefault(s["Key"], []).append(i["Position"])
        for c in ("Accepted by forum", "Accepted by partner"):
            if r[c] and i["Put on the agenda"] < r[c]:
                bad(i, "Put on the agenda", "before the request is accepted")
        for c in ("Agenda agreed by forum", "Agenda agreed by partner"):
            if s[c] and i["Put on the agenda"] > s[c]:
                bad(i, "Put on the agenda", "after the agenda is agreed")
        if s["Agenda proposed"] and i["Put on the agenda"] > s["Agenda proposed"]:
            bad(i, "Put on the agenda", "after the agenda is proposed")
        if r["Needed by"] and r["Needed by"] < s["Date"]:
            bad(r, "Needed by", "before the session of its item")
        asked = m["sessions"].get(r["Session asked for"])
        elsewhere = asked is not s
        moved += elsewhere
        if elsewhere != bool(i["Why not the session asked for"]):
            bad(i, "Why not the session asked for", "goes with another session than the one asked for")
        if asked and asked["Date"] > s["Date"]:
            bad(i, "Session", "is before the session asked for")
        if r["Decision stage"] in STAGES and i["Stage felt"] in STAGES:
            felt_later += STAGES.index(i["Stage felt"]) > STAGES.index(r["Decision stage"])
        if i["Stage felt on"] and i["Stage felt on"] < s["Date"]:
            bad(i, "Stage felt on", "before the session")
        decided = i["Further involvement decided on"]
        together(i, "Further involvement", "Further involvement decided on")
        if decided and decided <= s["Date"]:
            bad(i, "Further involvement decided on", "not after the session")
    end = ("items.csv", 0)
    extra = WELCOME + CLOSE
    for s in t["sessions"]:
        if s["Series"] == "HUB" and s["Ends as"] == "HELD":
            if s["Key"] not in sums:
                bad(s, "Ends as", "held without an item")
                continue
            if sorted(places[s["Key"]]) != list(range(1, len(places[s["Key"]]) + 1)):
                bad(s, "Key", "the positions of its items are not 1, 2, ...")
            for n, word in ((sums, "planned"), (actual, "actual")):
                if n[s["Key"]] + extra > SESSION_MINUTES:
                    bad(s, "Minutes", "%d minutes %s with welcome and close" % (n[s["Key"]] + extra, word))
    if sums and max(sums.values()) + extra != FULLEST:
        bad(end, "Minutes planned", "the fullest session uses %d minutes, not %d" % (max(sums.values()) + extra, FULLEST))
    if sorted(sums.values())[-2:][0] + extra == FULLEST:
        bad(end, "Minutes planned", "more than one session is the fullest")
    if len(t["items"]) != sum(WORKSTREAMS.values()):
        bad(end, "Key", "%d items, not %d" % (len(t["items"]), sum(WORKSTREAMS.values())))
    if not felt_later:
        bad(end, "Stage felt", "never later than claimed")
    if moved < 1:
        bad(end, "Session", "none is moved")
    if not any(i["Minutes actual"] > i["Minutes planned"] for i in t["items"]):
        bad(end, "Minutes actual", "no overrun")
    if {i["Further involvement"] for i in t["items"]} != {"", "NONE", "UPDATE", "RETURN", "CO_DESIGN"}:
        bad(end, "Further involvement", "every decision stands at least once, and somewhere none is made yet")


def check_attendance(t, m):
    replies, came, allocated, seen = {}, {}, {}, {}
    for r in t["invitations"]:
        s, rep = m["sessions"].get(r["Session"]), m["reps"].get(r["Rep"])
        if not s or not rep:
            continue
        if replies.setdefault((r["Session"], r["Rep"]), r) is not r:
            bad(r, "Rep", "is invited to this session in line %d" % replies[r["Session"], r["Rep"]]["#line"])
        if s["Ends as"] != "HELD":
            bad(r, "Session", "is cancelled")
        if r["Invited"] < s["Planned on"]:
            bad(r, "Invited", "before the session is planned")
        after(r, "Invited", "Replied")
        if r["Replied"] >= s["Date"]:
            bad(r, "Replied", "not before the session")
        if not standing(rep, r["Invited"]):
            bad(r, "Invited", "%s is not active on that day" % rep["Key"])
    for a in t["attendance"]:
        s, rep, i = m["sessions"].get(a["Session"]), m["reps"].get(a["Rep"]), m["items"].get(a["Item"])
        if not s or not rep or a["Item"] and not i:
            continue
        if bool(i) != (s["Series"] == "HUB"):
            bad(a, "Item", "goes with a hub session")
            continue
        if i and i["Session"] != s["Key"]:
            bad(a, "Item", "is on %s" % i["Session"])
        unit = a["Item"] or a["Session"]
        if seen.setdefault((unit, a["Rep"]), a) is not a:
            bad(a, "Rep", "stands already in line %d" % seen[unit, a["Rep"]]["#line"])
        if s["Ends as"] != "HELD":
            bad(a, "Session", "was not held")
        for day in (a["Allocated"], s["Date"]):
            if not standing(rep, day):
                bad(a, "Rep", "is not active, or not in good standing, on %s" % uk(day))
        reply = replies.get((a["Session"], a["Rep"]))
        if not reply or reply["Reply"] != "YES":
            bad(a, "Rep", "has not replied YES to %s" % s["Key"])
        elif a["Allocated"] < reply["Replied"]:
            bad(a, "Allocated", "before the reply")
        if a["Allocated"] >= s["Date"]:
            bad(a, "Allocated", "not before the session")
        if i:
            if a["Allocated"] < i["Put on the agenda"]:
                bad(a, "Allocated", "before the item is on the agenda")
            q = m["requests"].get(i["Request"])
            c = q and conflicts(t, a["Rep"], q, s["Date"])
            if c:
                bad(a, "Rep", "has the declared interest %s in this item" % c["Key"])
        if (a["Came"] == "no") != bool(a["Note"]):
            bad(a, "Note", "goes with who did not come")
        allocated.setdefault(a["Session"], set()).add(a["Rep"])
        if a["Came"] == "yes":
            came.setdefault(unit, set()).add(a["Rep"])
    end = ("attendance.csv", 0)
    for (k, rep), r in replies.items():
        if r["Reply"] == "YES" and rep not in allocated.get(k, ()):
            bad(r, "Reply", "YES, but allocated to nothing of the session")
    missed = [(k, rep) for (k, rep), r in replies.items() if r["Reply"] == "YES" and rep in allocated.get(k, ())
              and not any(a["Came"] == "yes" for a in t["attendance"] if (a["Session"], a["Rep"]) == (k, rep))]
    if len(missed) != 1:
        bad(end, "Came", "%d times a rep said YES and did not come, not once" % len(missed))
    for a in t["attendance"]:
        if a["Came"] == "no" and (a["Session"], a["Rep"]) not in missed:
            bad(a, "Came", "came to another item of the session")
    sizes = []
    for unit in [i["Key"] for i in t["items"]] + [s["Key"] for s in t["sessions"] if s["Series"] == "PREP"]:
        n = len(came.get(unit, ()))
        sizes.append(n)
        if not REPS_MIN <= n <= REPS_MAX:
            bad(end, "Came", "%d reps at %s" % (n, unit))
    if sizes and (min(sizes), max(sizes)) != (REPS_MIN, REPS_MAX):
        bad(end, "Came", "from %d to %d reps, not from %d to %d" % (min(sizes), max(sizes), REPS_MIN, REPS_MAX))
    for s in t["sessions"]:
        n = len(allocated.get(s["Key"], ()))
        if s["Ends as"] == "HELD" and not s["Fewest reps"] <= n <= s["Most reps"]:
            bad(s, "Most reps", "%d reps are allocated, wanted are %d to %d" % (n, s["Fewest reps"], s["Most reps"]))
        if s["Series"] == "BOARD" and not 1 <= len(came.get(s["Key"], ())) <= 2:
            bad(s, "Key", "one or two reps go to a board")
    n = sum(len(came.get(i["Key"], ())) for i in t["items"])
    if n != ENGAGEMENTS_ITEMS:
        bad(end, "Came", "%d engagements in items, not %d" % (n, ENGAGEMENTS_ITEMS))
    prep = sorted(len(came.get(s["Key"], ())) for s in t["sessions"] if s["Series"] == "PREP")
    if prep != PREP_SIZES or sum(prep) != ENGAGEMENTS_PREP:
        bad(end, "Came", "prep sessions of %s reps, not of %s" % (prep, PREP_SIZES))
    for s in t["sessions"]:
        if s["Series"] == "PREP":
            for rep in came.get(s["Key"], set()) - allocated.get(s["For session"], set()):
                bad(s, "Key", "%s prepares for a session without a place in it" % rep)
    hours = {}
    for s in t["sessions"]:
        for rep in allocated.get(s["Key"], ()):
            k = (rep, s["Date"].year, s["Date"].month)
            hours[k] = hours.get(k, 0) + s["Minutes"]
    for (rep, y, mo), minutes in hours.items():
        if rep in m["reps"] and minutes > m["reps"][rep]["Most hours a month"] * 60:
            bad(m["reps"][rep], "Most hours a month", "%d minutes in %02d/%d" % (minutes, mo, y))
    for i in t["interests"]:
        rep = m["reps"].get(i["Rep"])
        bites = [x for x in t["items"] if x["Request"] in m["requests"] and x["Session"] in m["sessions"] and rep
                 and standing(rep, m["sessions"][x["Session"]]["Date"])
                 and conflicts(t, i["Rep"], m["requests"][x["Request"]], m["sessions"][x["Session"]]["Date"]) is i]
        if not bites:
            bad(i, "Party", "keeps %s out of no item" % i["Rep"])
        if (i["Party kind"] == "PARTNER_TEAM") != bool(i["Partner"]):
            bad(i, "Partner", "goes with PARTNER_TEAM")
    return came


def check_records(t, m):
    by_item, silent, late_draft, late_share = {}, 0, 0, 0
    for r in t["records"]:
        i = m["items"].get(r["Item"])
        if by_item.setdefault(r["Item"], r) is not r:
            bad(r, "Item", "has the record %s" % by_item[r["Item"]]["Key"])
        if not i or i["Session"] not in m["sessions"]:
            continue
        day = m["sessions"][i["Session"]]["Date"]
        tenth = add_working(day, SHARE_DAYS)
        if r["Drafted"] <= day:
            bad(r, "Drafted", "not after the session")
        late_draft += r["Drafted"] > add_working(day, DRAFT_DAYS)
        late_share += r["Shared"] > tenth
        after(r, "Drafted", "Proposed", "Sealed on", "Shared")
        for c in ("Agreed by forum", "Agreed by partner"):
            after(r, "Proposed", c)
        words = [r[c] for c in ("Agreed by forum", "Agreed by partner") if r[c]]
        if r["Sealed as"] == "AGREED":
            if len(words) != 2 or r["Sealed on"] != max(words):
                bad(r, "Sealed on", "is not the day of the second word")
            if r["Sealed on"] >= tenth:
                bad(r, "Sealed on", "not before the 10th working day %s, when silence seals it" % uk(tenth))
        else:
            silent += 1
            if len(words) != 1 or r["Sealed on"] != tenth or words[0] >= tenth:
                bad(r, "Sealed as", "one side says its word and silence seals it on the 10th working day %s" % uk(tenth))
    end = ("records.csv", 0)
    for i in t["items"]:
        if i["Key"] not in by_item:
            bad(i, "Key", "has no record")
    if silent != 1:
        bad(end, "Sealed as", "%d records are sealed by silence, not 1" % silent)
    for n, word in ((late_draft, "Drafted"), (late_share, "Shared")):
        if not 0 < n < len(t["records"]) / 2:
            bad(end, word, "%d late: mostly in time and some late is wanted" % n)
    kinds, corrections = {}, 0
    for e in t["entries"]:
        r = m["records"].get(e["Record"])
        if not r:
            continue
        if e["Corrects"]:
            corrections += 1
            old = m["entries"].get(e["Corrects"])
            if old and ((old["Record"], old["Kind"]) != (e["Record"], e["Kind"]) or old["Corrects"]):
                bad(e, "Corrects", "an entry of another record or kind, or a correction itself")
            if e["Kind"] == "VIEW":
                bad(e, "Kind", "a view would want an answer of its own")
            if e["Written"] <= r["Sealed on"]:
                bad(e, "Written", "a correction is written after the record is sealed")
        else:
            kinds.setdefault(e["Record"], set()).add(e["Kind"])
            if not r["Drafted"] <= e["Written"] <= r["Proposed"]:
                bad(e, "Written", "is not between draft and proposal")
    if corrections != 1:
        bad(("entries.csv", 0), "Corrects", "%d corrections, not 1" % corrections)
    for r in t["records"]:
        if not {"VIEW", "OUTCOME"} <= kinds.get(r["Key"], set()):
            bad(r, "Key", "has no view or no outcome")
    if set().union(*kinds.values()) != set(ENUMS["Kind@entries"].split()):
        bad(("entries.csv", 0), "Kind", "not every kind stands here")
    return by_item


def check_feedback(t, m, record_of):
    last, count, points = {}, {}, {}
    for p in t["feedback-points"]:
        points.setdefault(p["Feedback"], []).append(p)
    before = None
    for f in t["feedback"]:
        i = m["items"].get(f["Item"])
        r = record_of.get(f["Item"])
        if not i or not r or i["Request"] not in m["requests"]:
            continue
        if f["Given by"] != m["requests"][i["Request"]]["Requestor"]:
            bad(f, "Given by", "is not the named requestor of %s" % i["Key"])
        if f["Given"] <= r["Shared"]:
            bad(f, "Given", "not after the record is shared")
        if before and f["Given"] < before:
            bad(f, "Given", "the sheet is kept in the order of the days")
        before = f["Given"]
        p = last.get(f["Item"])
        if p and p["Answer"] != "NOT_YET":
            bad(f, "Item", "has a final answer in line %d" % p["#line"])
        if p and f["Given"] <= p["Given"]:
            bad(f, "Given", "not after the answer before it")
        last[f["Item"]] = f
        wants = {"CHANGED": "What changed|Link", "PARTLY": "What changed|Why not, or not all",
                 "NOT_CHANGED": "Why not, or not all", "NOT_YET": "Why not, or not all|New date"}.get(f["Answer"], "").split("|")
        for c in ("What changed", "Why not, or not all", "Link", "New date"):
            if bool(f[c]) != (c in wants):
                bad(f, c, "%s with %s" % ("empty" if c in wants else "filled", f["Answer"]))
        if f["Link"] and not f["Link"].startswith("https://www.example.org/"):
            bad(f, "Link", "not an address at example.org")
        if f["New date"] and f["New date"] <= f["Given"]:
            bad(f, "New date", "not after the answer")
        count[f["Item"]] = count.get(f["Item"], 0) + (f["Answer"] == "NOT_YET")
        if count[f["Item"]] > NOT_YET_MOST:
            bad(f, "Answer", "NOT_YET more than %d times" % NOT_YET_MOST)
        views = {e["Key"] for e in t["entries"] if e["Record"] == r["Key"] and e["Kind"] == "VIEW"}
        have = [x["Entry"] for x in points.get(f["Key"], [])]
        for x in points.get(f["Key"], []):
            if x["Entry"] not in views:
                bad(x, "Entry", "is not a view of the record of %s" % f["Item"])
        if sorted(have) != sorted(views):
            bad(f, "Key", "does not answer each view of the record once")
    end = ("feedback.csv", 0)
    for a in ENUMS["Answer@feedback"].split():
        if not any(f["Answer"] == a for f in t["feedback"]):
            bad(end, "Answer", "%s stands nowhere" % a)
    overdue = open_later = gave_late = 0
    for i in t["items"]:
        if i["Session"] not in m["sessions"]:
            continue
        due, f = m["sessions"][i["Session"]]["Date"] + timedelta(FEEDBACK_DAYS), last.get(i["Key"])
        if f and f["Answer"] == "NOT_YET":
            due = f["New date"] or due
        elif f:
            gave_late += f["Given"] > due
            continue
        overdue += due < END
        open_later += due >= END
        if due == END:
            bad(i, "Key", "feedback is due on the last day: whether it is overdue would be a matter of taste")
    for n, word in ((overdue, "overdue and never given"), (open_later, "owed later than the end"), (gave_late, "given late")):
        if not n:
            bad(end, "Given", "nothing is %s" % word)
    return overdue, gave_late


def check_live_feedback(t, m):
    for r in t["live-feedback"]:
        together(r, "Triaged", "Triaged by")
        after(r, "Received", "Triaged")
        if r["Theme"] and not re.fullmatch(r"[a-z][a-z0-9-]*", r["Theme"]):
            bad(r, "Theme", "is not small letters and hyphens")
        if r["Triaged"] and r["Triaged"] > add_working(r["Received"], TRIAGE_DAYS):
            bad(r, "Triaged", "more than %d working days later" % TRIAGE_DAYS)
        role = m["members"].get(r["Triaged by"], {}).get("Forum role")
        allowed = ["SAFEGUARDING_LEAD"] if r["In danger"] == "yes" else ["CHAIR", "VICE_CHAIR", "MEMBERSHIP_ADMIN"]
        if r["Triaged by"] and role not in allowed:
            bad(r, "Triaged by", "is none of %s" % ", ".join(allowed))
        if bool(r["Triaged"] and r["In danger"] == "no") != bool(r["Demand"]):
            bad(r, "Demand", "goes with being triaged and not in danger")
        if r["Cleared text"] and not r["Demand"]:
            bad(r, "Cleared text", "what is in danger or not triaged is cleared for nobody")
        if r["Cleared text"] == r["Text"]:
            bad(r, "Cleared text", "is what was sent")
    for column, value in (("In danger", "yes"), ("Demand", "VALUE"), ("Demand", "FAILURE")):
        if not any(r[column] == value for r in t["live-feedback"]):
            bad(("live-feedback.csv", 0), column, "%s stands nowhere" % value)


def half_up(numerator, denominator):
    return (2 * numerator + denominator) // (2 * denominator)


def rate(t, kind, day):
    found = [r for r in t["rates"] if r["Kind"] == kind and r["From"] <= day and not (r["Until"] and r["Until"] < day)]
    if len(found) > 1:
        bad(found[1], "From", "overlaps with %s" % found[0]["Key"])
    return found[0]["Pounds"] if found else 0


def check_money(t, m):
    grants = [g for g in t["funds"] if "HUB" in g["Kinds of activity"]]
    want = [(date(2021, 4, 1), date(2022, 3, 31), 1750000), (date(2022, 4, 1), date(2023, 3, 31), 1750000)]
    if [(g["From"], g["Until"], g["Pounds"]) for g in grants] != want:
        bad(("funds.csv", 0), "Pounds", "two grants of 17,500 pounds, for 2021-22 and 2022-23")
    for g in grants:
        if set(g["Kinds of activity"]) != {"HUB", "PREP", "BOARD", "PRIORITY"}:
            bad(g, "Kinds of activity", "the grant pays HUB, PREP, BOARD and PRIORITY")
    if not any(g["Kinds of activity"] == ["PROJECT"] and g["Giver"] == "wcc" for g in t["funds"]):
        bad(("funds.csv", 0), "Kinds of activity", "no contribution of the council for PROJECT")
    miles = sorted((r for r in t["rates"] if r["Kind"] == "MILEAGE"), key=lambda r: r["From"])
    if len(miles) != 2 or miles[1]["From"] != MILEAGE_RAISED or miles[1]["Pounds"] != 45 or miles[0]["Until"] != MILEAGE_RAISED - timedelta(1):
        bad(("rates.csv", 0), "From", "mileage: one rate until 24/04/2022, 0.45 from 25/04/2022")
    elif (miles[0]["Invented"], miles[1]["Invented"]) != ("yes", "no"):
        bad(miles[0], "Invented", "the earlier rate is invented and says so")
    fees = [r for r in t["rates"] if r["Kind"] == "FEE"]
    if len(fees) != 1 or fees[0]["Per"] != "120_MINUTES":
        bad(("rates.csv", 0), "Kind", "one fee for two hours")
    for r in t["rates"]:
        if (r["Kind"] == "MILEAGE") != bool(r["Mode"]) or (r["Kind"] == "MILEAGE") != (r["Per"] == "MILE"):
            bad(r, "Mode", "goes with MILEAGE")
        if r["Kind"] == "FEE" and r["Set on"] > r["From"]:
            bad(r, "Set on", "after it begins")
    if len(t["projects"]) < 1:
        bad(("projects.csv", 0), "Key", "no project")
    for p in t["projects"]:
        tried = m["funds"].get(p["Fund tried"])
        could = [g["Key"] for g in t["funds"] if p["Kind"] in g["Kinds of activity"] and g["From"] <= p["Asked on"] <= g["Until"]]
        if tried and (p["Kind"] in tried["Kinds of activity"] or tried not in grants):
            bad(p, "Fund tried", "would pay")
        if p["Funds that could pay"] != could:
            bad(p, "Funds that could pay", "are %s" % "; ".join(could))
        if p["Fund agreed"] not in could:
            bad(p, "Fund agreed", "could not pay")
        after(p, "Asked on", "Agreed on")
        if p["Fund agreed"] in m["funds"] and p["Pounds"] > m["funds"][p["Fund agreed"]]["Pounds"]:
            bad(p, "Pounds", "more than the fund holds")
        if p["Partner"] != "wcc":
            bad(p, "Partner", "the council asks for it")
        o = m["officers"].get(p["Requestor"])
        if o and ((o["Partner"], o["Team"]) != (p["Partner"], p["Team"]) or "REQUESTOR" not in o["Roles"]):
            bad(p, "Requestor", "is no requestor of that team")
    for a in t["attendance"]:
        s = m["sessions"].get(a["Session"])
        if s and not any(s["Series"] in g["Kinds of activity"] and g["From"] <= s["Date"] <= g["Until"] and g["Opened"] < a["Allocated"]
                         for g in t["funds"]):
            bad(a, "Allocated", "no fund for %s on %s is open by then" % (s["Series"], uk(s["Date"])))
    came = {(a["Session"], a["Rep"]) for a in t["attendance"] if a["Came"] == "yes"}
    driven, seen = {}, {}
    for j in t["journeys"]:
        s = m["sessions"].get(j["Session"])
        if not s:
            continue
        if j["Date"] != s["Date"]:
            bad(j, "Date", "is not the day of the session")
        if s["Place"] != "FACE_TO_FACE":
            bad(j, "Session", "is online")
        if (j["Session"], j["Rep"]) not in came:
            bad(j, "Rep", "was not at %s" % s["Key"])
        if seen.setdefault((j["Session"], j["Rep"]), j) is not j:
            bad(j, "Rep", "goes twice")
        c = m["claims"].get(j["Claim"])
        if c and (c["Rep"], c["Session"]) != (j["Rep"], j["Session"]):
            bad(j, "Claim", "is of another rep or session")
        driven[j["Claim"]] = driven.get(j["Claim"], 0) + half_up(j["Miles"] * rate(t, "MILEAGE", j["Date"]), 10)
    for old in (True, False):
        if not any((j["Date"] < MILEAGE_RAISED) == old for j in t["journeys"]):
            bad(("journeys.csv", 0), "Date", "no journey %s the rate was raised" % ("before" if old else "after"))
    seen, spent = {}, {}
    for c in t["claims"]:
        s, g, rep = m["sessions"].get(c["Session"]), m["funds"].get(c["Fund"]), m["reps"].get(c["Rep"])
        if not s or not g or not rep:
            continue
        if (c["Session"], c["Rep"]) not in came:
            bad(c, "Session", "%s was not there" % c["Rep"])
        if seen.setdefault((c["Session"], c["Rep"]), c) is not c:
            bad(c, "Session", "is claimed in %s already" % seen[c["Session"], c["Rep"]]["Key"])
        if s["Series"] not in g["Kinds of activity"] or not g["From"] <= s["Date"] <= g["Until"]:
            bad(c, "Fund", "does not pay %s on %s" % (s["Series"], uk(s["Date"])))
        fee = half_up(rate(t, "FEE", s["Date"]) * s["Minutes"], 120)
        if c["Fee pounds"] != fee:
            bad(c, "Fee pounds", "is %d.%02d" % divmod(fee, 100))
        if c["Mileage pounds"] != driven.get(c["Key"], 0):
            bad(c, "Mileage pounds", "is %d.%02d" % divmod(driven.get(c["Key"], 0), 100))
        if c["Total pounds"] != c["Fee pounds"] + c["Mileage pounds"] or not c["Total pounds"]:
            bad(c, "Total pounds", "is not fee and mileage, or is nothing")
        if c["Submitted"] < s["Date"]:
            bad(c, "Submitted", "before the session")
        if rate(t, "FEE", s["Date"]) and c["Submitted"] < fees[0]["Set on"]:
            bad(c, "Submitted", "before the fee is set")
        after(c, "Submitted", "Returned", "Submitted again", "Approved", "Paid")
        together(c, "Returned", "Why returned")
        together(c, "Approved", "Approved by")
        together(c, "Paid", "Paid by")
        if c["Submitted again"] and not c["Returned"]:
            bad(c, "Submitted again", "was not returned")
        state = "PAID" if c["Paid"] else "APPROVED" if c["Approved"] else "RETURNED" if c["Returned"] and not c["Submitted again"] else "SUBMITTED"
        if c["Ends as"] != state:
            bad(c, "Ends as", "by its dates it is %s" % state)
        if c["Paid"] and not c["Approved"] or c["Approved"] and c["Returned"] and not c["Submitted again"]:
            bad(c, "Approved", "the steps do not follow")
        role = lambda k: m["members"].get(k, {}).get("Forum role")
        if c["Approved by"] and role(c["Approved by"]) not in ("CHAIR", "VICE_CHAIR"):
            bad(c, "Approved by", "is neither chair nor vice chair")
        if c["Paid by"] and role(c["Paid by"]) != "TREASURER":
            bad(c, "Paid by", "is not the treasurer")
        people = [x for x in (rep["Member"], c["Approved by"], c["Paid by"]) if x]
        if len(set(people)) != len(people):
            bad(c, "Approved by", "claimant, approver and payer are three people")
        if c["Paid"]:
            spent[c["Fund"]] = spent.get(c["Fund"], 0) + c["Total pounds"]
    for k, pence in spent.items():
        if pence > m["funds"][k]["Pounds"]:
            bad(m["funds"][k], "Pounds", "overspent")
    for state in ENUMS["Ends as@claims"].split():
        if not any(c["Ends as"] == state for c in t["claims"]):
            bad(("claims.csv", 0), "Ends as", "%s stands nowhere" % state)
    return spent


def check_words(t, m):
    people = {r["Last name"] for r in t["members"]} | {r["Name"].split()[-1] for r in t["officers"]}
    for sheet, (_, spec) in SHEETS.items():
        prose = [p.partition(":")[0] for p in spec.split("|") if "x" in p.partition(":")[2].split(">")[0]]
        for row in t[sheet]:
            whole = " ".join(row[c] for c in prose).lower()
            for c in prose:
                for a in re.findall(r"\b[A-Z]{2,}s?\b", row[c]):
                    if a not in ACRONYMS or ACRONYMS[a] not in whole:
                        bad(row, c, "%s is not explained" % a)
                for w in re.findall(r"[^\W\d_]+", row[c]):
                    if w in people:
                        bad(row, c, "names a person: %s" % w)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "warwickshire-2021-22")
    t = read(folder)
    check_documents(folder)
    references(t)
    figures = []
    if not errors:  # what follows takes cells that can be read and keys that are there for granted
        m = {sheet: {r["Key"]: r for r in rows if "Key" in r} for sheet, rows in t.items()}
        check_words(t, m)
        check_people(t, m)
        check_reps(t, m)
        check_sessions(t, m)
        check_requests(t, m)
        check_items(t, m)
        came = check_attendance(t, m)
        overdue, late = check_feedback(t, m, check_records(t, m))
        check_live_feedback(t, m)
        spent = check_money(t, m)
        held = [m["requests"][i["Request"]] for i in t["items"]]
        units = [len(came[i["Key"]]) for i in t["items"] if i["Key"] in came]
        prep = [len(came[s["Key"]]) for s in t["sessions"] if s["Series"] == "PREP" and s["Key"] in came]
        felt = sum(STAGES.index(i["Stage felt"]) > STAGES.index(m["requests"][i["Request"]]["Decision stage"]) for i in t["items"])
        figures = [
            "members %s" % ", ".join("%d on %s" % (members_at(t, d), uk(d)) for d in MEMBERS),
            "pool %s" % ", ".join("%d on %s" % (sum(active(r, d) for r in t["reps"]), uk(d)) for d in POOL),
            "items %d, prep sessions %d, engagements %d + %d = %d" % (len(units), len(prep), sum(units), sum(prep), sum(units + prep)),
            "late requests %d, DECIDED %d, felt later than claimed %d" % (
                sum(r["Late"] == "yes" for r in held), sum(r["Decision stage"] == "DECIDED" for r in held), felt),
            "influence feedback overdue %d, given late %d" % (overdue, late),
            "paid %s" % ", ".join("%s %d.%02d" % ((k,) + divmod(v, 100)) for k, v in sorted(spent.items()))]
    for file, line, column, reason in sorted(set(errors), key=lambda e: (e[0], e[1])):
        print("%s:%d: %s: %s" % (file, line, column, reason), file=sys.stderr)
    if errors:
        sys.exit(1)
    print("\n".join(figures))


if __name__ == "__main__":
    main()
