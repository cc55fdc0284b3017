"""A hub with everybody in it: each role on each side, another partner, another forum, and records of each to be hidden.

What belongs to one person or partner and is none of another's carries a word of its own (`hidden`), so that
wherever it comes out it is known.
"""
import os
import re
import subprocess
import uuid

from caller import claims_of, write
from hub import BUILD, TOP, Hub, free_port

FORUM, OTHER = "forums/warwickshire", "forums/coventry"
WCC, HEALTH = f"{FORUM}/partners/wcc", f"{FORUM}/partners/coventry-warwickshire-ccg"
FORUMS_ROLES = ("member", "rep", "chair", "vice_chair", "membership_admin", "treasurer", "safeguarding_lead",
                "membership_platform")
PARTNERS_ROLES = ("facilitator", "requestor", "participation_lead", "funder", "observer", "case_system")
DAY, NEXT = "2021-12-03", "2021-12-17"
# What comes from whom, by the organisation of the issuer's tokens.
ISSUERS = {"forum": FORUM, "council": WCC, "health": HEALTH, "operator": "operator", "coventry": OTHER,
           "coventry_council": f"{OTHER}/partners/cov"}


def issuer_of(organisation):
    return f"https://login.{organisation}.example"


class World:
    def __init__(self, state, caller):
        self.hub, self.caller, self.tokens, self.people = Hub(os.path.join(state, "hub")), caller, {}, {}
        self.words = {}   # a word that was hidden: who may meet it
        self.refused = []  # every refusal: who, method, all that was said
        self.folder = state

    # ---- calls ----

    def begin(self, who, method, request=None, **how):
        """A function that waits for the outcome."""
        asked = {"method": method, "request": request or {}, "token": self.tokens.get(who), "keep": True,
                 "server": f"127.0.0.1:{self.hub.port}"}
        waiting = self.caller.begin(do="call", **asked, **how)

        def end():
            outcome = waiting()[0]
            if outcome["code"] != "OK":
                self.refused.append((who, method, str(request), outcome["said"]))
            return outcome
        return end

    def ask(self, who, method, request=None, **how):
        return self.begin(who, method, request, **how)()

    def do(self, who, method, **request):
        """What must succeed; its answer."""
        outcome = self.ask(who, method, {"request_id": "$ID", **request})
        if outcome["code"] != "OK":
            raise RuntimeError(f"{who} {method} {request}: {outcome['code']} {outcome['words']}")
        return outcome["answer"]

    def new(self, who, method, **request):
        return self.do(who, method, parent=FORUM, **request)

    def hide(self, *may):
        """A word that only `may` are to meet."""
        word = "zq" + uuid.uuid4().hex[:12]
        self.words[word] = may
        return word

    # ---- who there is ----

    def up(self):
        keys = {}
        for organisation in ISSUERS:
            keys[organisation] = self.caller.key(organisation, "EC", f"{organisation}-1")
            write(os.path.join(self.folder, f"{organisation}.jwks"), {"keys": [keys[organisation]]})
        self.hub.beside()
        development = os.path.join(self.hub.state, "issuers")
        write(os.path.join(self.folder, "issuers.json"), {"issuers": [
            {"issuer": issuer_of(one), "organisation": of, "jwks": f"{one}.jwks"} for one, of in ISSUERS.items()
        ] + [{"issuer": f"https://{one}.dev.example", "organisation": of, "development": True,
              "jwks": os.path.join(development, f"{one}.jwks")}
             for one, of in {"forum": FORUM, "wcc": WCC, "health": HEALTH, "operator": "operator"}.items()]})
        self.hub.up("--demo", f"--issuers={self.folder}/issuers.json", "--calls_per_second=0", "--calls_at_once=0")
        self.enter("operator", "operator", "operator")
        self.do("operator", "hub.Hub.SetDate", date="2021-11-01")
        made = self.hub.ctl("dev", "grants")
        if made.returncode != 0:
            raise RuntimeError(made.stderr)
        self.do("operator", "membership.Forums.CreateForum", forum_id="coventry", forum={"display_name": "Coventry"})
        self.do("operator", "membership.Partners.CreatePartner", parent=OTHER, partner_id="cov",
                partner={"display_name": "Coventry City Council", "kind": "COUNCIL"})

    def enter(self, who, organisation, subject):
        """A token of that organisation for who is then called so."""
        recipe = {"key": organisation, "claims": claims_of(issuer_of(organisation), subject)}
        recipe["claims"]["exp"] += 3600
        self.tokens[who] = self.caller.begin(do="mint", token=recipe)()

    def enter_service(self):
        """A service's token holds for a minute."""
        said = subprocess.run([os.path.join(BUILD, "services/hubctl/hubctl"), f"--state={self.hub.state}", "token",
                               "--as=service"], check=True, stdout=subprocess.PIPE, text=True)
        self.tokens["service"] = said.stdout.strip()

    def grant(self, who, organisation, *roles, person=None):
        self.people.setdefault(who, person or str(uuid.uuid4()))
        of = ISSUERS[organisation]
        forum = "/".join(of.split("/")[:2])
        self.enter(who, organisation, who)
        waiting = [self.begin("operator", "membership.Grants.CreateGrant", {
            "parent": forum, "request_id": "$ID",
            "grant": {"issuer": issuer_of(organisation), "subject": who, "role": role.upper(),
                      "partner": of if "/partners/" in of else "", "person": self.people[who]}}) for role in roles]

        def end():
            for one in waiting:
                if (outcome := one())["code"] != "OK":
                    raise RuntimeError(f"{who} as {roles}: {outcome['words']}")
        return end

    def people_come(self):
        """One for each role here, at the other partner, and in the other forum; and some who hold two."""
        waiting = [self.grant(role, "forum", role) for role in FORUMS_ROLES if role not in ("member", "rep")]
        waiting += [self.grant(role, "council", role) for role in PARTNERS_ROLES]
        waiting += [self.grant(f"health {role}", "health", role) for role in PARTNERS_ROLES]
        waiting += [self.grant(f"coventry {role}", "coventry", role) for role in FORUMS_ROLES]
        waiting += [self.grant(f"coventry {role}", "coventry_council", role) for role in PARTNERS_ROLES]
        waiting.append(self.grant("second requestor", "council", "requestor"))
        for end in waiting:
            end()
        waiting = [self.grant("chair who pays", "forum", "treasurer", person=self.people["chair"]),
                   self.grant("officer who is a parent", "council", "facilitator"),
                   self.grant("parent who is an officer", "forum", "chair",
                              person=self.people["officer who is a parent"])]
        officers = ("chair", "vice_chair", "membership_admin", "membership_platform")
        for who in ("member", "rep", "second rep"):
            member = self.new("membership_admin", "membership.Members.CreateMember", member={
                "given_name": who, "family_name": self.hide(who, f"{who} as a member", *officers),
                "residence": "LIVES_HERE", "reach_by": "POST", "joined_on": "2021-10-01"})
            self.people[who] = member["name"].rsplit("/", 1)[1]
            waiting.append(self.grant(who, "forum", "member" if who == "member" else "rep"))
        waiting.append(self.grant("rep as a member", "forum", "member", person=self.people["rep"]))
        waiting.append(self.grant("rep who chairs", "forum", "chair", person=self.people["rep"]))
        for end in waiting:
            end()
        self.enter("nobody", "forum", "nobody")

    # ---- what there is ----

    def member(self, who):
        return f"{FORUM}/members/{self.people[who]}"

    def rep(self, who):
        return f"{FORUM}/reps/{self.people[who]}"

    def request(self, who, title, **more):
        return self.new(who, "scheduling.Requests.CreateRequest", request={
            "title": title, "workstream": "BUSINESS_AS_USUAL", "purpose": "DISCUSSION", "decision_stage": "OPTIONS",
            "can_change": "Where and when", "cannot_change": "The budget", "who_decides": "Cabinet",
            "requestor": "the officer", "team": title, "minutes_wanted": 20, "needed_by": "2022-03-31", "papers": "none",
            "attendees": "the officer", **more})

    def submitted(self, who, title, **more):
        return self.do(who, "scheduling.Requests.SubmitRequest", name=self.request(who, title, **more)["name"])["name"]

    def accepted(self, who, facilitator, title, **more):
        name = self.submitted(who, title, **more)
        for one in (facilitator, "chair"):
            self.do(one, "scheduling.Requests.AcceptRequest", name=name)
        return name

    def reps_come(self):
        documents = [self.new("chair", "membership.Documents.PublishDocument", document={"kind": kind, "text": kind})
                     for kind in ("CODE_OF_CONDUCT", "TERMS_OF_REFERENCE")]
        for who in ("rep", "second rep"):
            rep = self.new("membership_admin", "membership.Reps.CreateRep", member=self.member(who),
                           most_hours_a_month=2)["name"]
            for verb in ("StartInduction", "CompleteInduction"):
                self.do("membership_admin", f"membership.Reps.{verb}", name=rep)
            for one in documents:
                self.do("membership_admin", "membership.Documents.AcceptDocument", name=one["name"], rep=rep,
                        text_hash=one["text_hash"])
            self.new("membership_admin", "membership.Declarations.MakeDeclaration",
                     declaration={"rep": rep, "nil": True})
            self.do("membership_admin", "membership.Reps.ActivateRep", name=rep)
        return documents

    def fund(self, who, title, *pays):
        return self.new(who, "remuneration.Funds.CreateFund", fund={
            "title": title, "giver": title, "from_date": "2021-09-01", "to_date": "2022-08-31",
            "amount_pence": 500000, "pays": pays})["name"]

    def plant(self):
        """By type, what is the rep's or the council's, and what is the second rep's or the health body's."""
        here, there = {}, {}
        council = (*PARTNERS_ROLES, "second requestor", "officer who is a parent")
        health = tuple(f"health {role}" for role in PARTNERS_ROLES)
        of_forum = tuple(FORUMS_ROLES) + ("rep who chairs", "parent who is an officer")
        self.ours, self.theirs = self.hide(*council, *of_forum), self.hide(*health, *of_forum)
        self.new("chair", "scheduling.Settings.UpdateSchedulingSettings", scheduling_settings={
            "name": f"{FORUM}/schedulingSettings", "lead_days": 14}, update_mask={"paths": ["lead_days"]})
        self.new("chair", "engagement.Settings.UpdateEngagementSettings", settings={
            "name": f"{FORUM}/engagementSettings", "danger_notice": "In danger? Call 999.",
            "danger_notice_checked_on": "2021-11-01"},
            update_mask={"paths": ["danger_notice", "danger_notice_checked_on"]})
        here["Document"] = self.reps_come()[0]["name"]
        here["Group"] = self.new("chair", "membership.Groups.CreateGroup", group={
            "display_name": "Panel", "kind": "PANEL", "system": "slack"})["name"]
        here["ReachSeries"], self.unpublished = (self.new("chair", "membership.Reach.CreateReachSeries", reach_series={
            "display_name": "Followers", "source": "Facebook", "unit": "followers", "published": published})["name"]
            for published in (True, False))
        here["Duplicate"] = self.new("membership_admin", "membership.Duplicates.KeepApart", kept=self.member("rep"),
                                     member=self.member("second rep"))["name"]
        self.text_hash = self.do("chair", "membership.Documents.ListDocuments", parent=FORUM)["documents"][0]["text_hash"]
        here["Rate"] = self.new("treasurer", "remuneration.Rates.SetRate", rate={
            "kind": "FEE_TWO_HOURS", "from_date": "2021-09-01", "tenth_pence": 50000})["name"]
        self.grant_fund = self.fund("treasurer", "Grant", "HUB", "PREP", "BOARD", "PRIORITY")
        here["Fund"] = self.fund("funder", f"Council's {self.ours}", "PROJECT")
        there["Fund"] = self.fund("health funder", f"Health's {self.theirs}", "PROJECT", "CONSULTATION")
        self.session = here["Session"] = self.new("facilitator", "scheduling.Sessions.CreateSession", session={
            "series": "HUB", "date": DAY, "start_time": "11:00"})["name"]
        self.next = self.new("chair", "scheduling.Sessions.CreateSession", session={
            "series": "HUB", "date": NEXT, "start_time": "11:00"})["name"]
        self.do("facilitator", "scheduling.Sessions.AgreeFaceToFace", name=self.next)
        here["EngagementRequest"] = self.accepted("requestor", "facilitator", f"Short breaks {self.ours}")
        there["EngagementRequest"] = self.accepted("health requestor", "health facilitator", f"Clinics {self.theirs}")
        for kind, who in ((here, "facilitator"), (there, "health facilitator")):
            kind["Item"] = self.new(who, "scheduling.Items.CreateItem", item={
                "request": kind["EngagementRequest"], "session": self.session})["name"]
        for kind, who in ((here, "rep"), (there, "second rep")):
            kind["Rep"], kind["Member"] = self.rep(who), self.member(who)
            kind["Recusal"] = self.new(who, "membership.Recusals.MakeRecusal", recusal={
                "rep": self.rep(who), "party": "Tribunal team"})["name"]
            kind["GroupMembership"] = self.new("chair", "membership.Groups.AddGroupMember", group=here["Group"],
                                               member=self.member(who))["name"]
            kind["Invitation"] = self.new("chair", "scheduling.Invitations.InviteRep", rep=self.rep(who),
                                          session=self.next)["name"]
            kind["Allocation"] = self.new("chair", "scheduling.Allocations.AllocateRep", rep=self.rep(who),
                                          item=kind["Item"])["name"]
            self.new(who, "membership.Characteristics.SetCharacteristics",
                     characteristics={"gender_words": self.hide(who)})
            kind["MemberCharacteristics"] = f"{FORUM}/characteristics/{self.people[who]}"
        self.link = self.hide("facilitator", "officer who is a parent", "requestor", "chair", "vice_chair", "rep",
                              "second rep", "health requestor", "membership_admin", "treasurer",
                              "membership_platform", "rep who chairs", "parent who is an officer")
        self.do("facilitator", "scheduling.Sessions.SetJoiningLink", name=self.session,
                joining_link=f"https://meet.example/{self.link}")
        self.do("facilitator", "scheduling.Sessions.ProposeAgenda", name=self.session, link_person="the officer",
                brief="Short breaks and clinics.", prep="IN_WRITING")
        for who in ("facilitator", "chair"):
            self.do(who, "scheduling.Sessions.AgreeAgenda", name=self.session)
        self.hub.settle()
        self.do("operator", "hub.Hub.SetDate", date=DAY)
        for kind in (here, there):
            self.do("chair", "scheduling.Items.PresentItem", name=kind["Item"], minutes_actual=20)
        self.do("chair", "scheduling.Sessions.HoldSession", name=self.session, reps_present=3)
        here["Attendance"] = self.new("facilitator", "engagement.Attendances.TakeAttendance", rep=self.rep("rep"),
                                      item=here["Item"])["name"]
        there["Attendance"] = self.new("chair", "engagement.Attendances.TakeAttendance", rep=self.rep("second rep"),
                                       item=there["Item"])["name"]
        self.hub.settle()
        for kind, word, partner in ((here, self.ours, "facilitator"), (there, self.theirs, "health facilitator")):
            kind["Record"] = kind["Item"].replace("/items/", "/records/")
            kind["InfluenceAccount"] = kind["Item"].replace("/items/", "/influenceAccounts/")
            kind["Point"] = self.new(partner, "engagement.Records.AddPoint", record=kind["Record"], kind="VIEW",
                                     text=f"Too late {word}")["name"]
            self.do(partner, "engagement.Records.ProposeRecord", name=kind["Record"])
            self.do("chair", "engagement.Records.AgreeRecord", name=kind["Record"])
        self.feedback()
        for kind, who in ((here, "requestor"), (there, "health requestor")):
            self.do(who, "engagement.InfluenceAccounts.GiveFeedback", name=kind["InfluenceAccount"], answer="NOT_YET",
                    new_date="2022-04-01")
            kind["FurtherInvolvement"] = self.new(
                "chair", "engagement.FurtherInvolvements.DecideFurtherInvolvement", item=kind["Item"], decision="NONE",
                wish=f"None {self.ours if kind is here else self.theirs}")["name"]
        for kind, who in ((here, "rep"), (there, "second rep")):
            kind["Claim"] = self.new(who, "remuneration.Claims.PrefillClaim", from_date="2021-11-01",
                                     to_date=DAY)["name"]
            kind["RightsRequest"] = self.new(who, "membership.RightsRequests.CreateRightsRequest",
                                             member=self.member(who), kind="ACCESS")["name"]
        self.listed(here, there)
        return here, there

    def feedback(self):
        """Live feedback: for the forum, cleared for partners, flagged."""
        leads = ("safeguarding_lead",)
        forum = ("chair", "vice_chair", "membership_admin", *leads, "rep who chairs", "parent who is an officer")
        told = {"plain": forum, "cleared": forum, "flagged": leads}
        words = {name: self.hide(*may) for name, may in told.items()}
        for name, word in words.items():
            self.new("member", "engagement.LiveFeedbacks.GiveLiveFeedback", text=f"Our Sam {word}", theme="buses",
                     safeguarding=name == "flagged")
        found = self.do("safeguarding_lead", "engagement.LiveFeedbacks.ListLiveFeedbacks",
                        parent=FORUM)["live_feedbacks"]
        self.feedbacks = {name: one["name"] for name, word in words.items() for one in found if word in one["text"]}
        self.do("chair", "engagement.LiveFeedbacks.TriageLiveFeedback", name=self.feedbacks["cleared"], demand="VALUE",
                cleared_text="A bus was late.")

    def listed(self, here, there):
        """What came about by itself, as those who may see all of it list it."""
        def of(who, method, field, holds):
            records = self.do(who, method, parent=FORUM, page_size=500)
            return next(one["name"] for one in next(iter(records.values())) if holds(one.get(field)))
        for kind, who, partner in ((here, "rep", WCC), (there, "second rep", HEALTH)):
            own = lambda rep, who=who: rep == self.rep(who)  # noqa: E731
            its = lambda one, partner=partner: one == partner  # noqa: E731
            kind["Commitment"] = of("treasurer", "remuneration.Commitments.ListCommitments", "rep", own)
            kind["Entitlement"] = of("treasurer", "remuneration.Entitlements.ListEntitlements", "rep", own)
            kind["ClaimLine"] = of("treasurer", "remuneration.ClaimLines.ListClaimLines", "rep", own)
            kind["Account"] = of("treasurer", "remuneration.Accounts.ListAccounts", "rep", own)
            kind["Grant"] = of("operator", "membership.Grants.ListGrants", "partner", its)
            kind["SharingEntry"] = of("chair", "membership.SharingEntries.ListSharingEntries", "partner", its)
            kind["InfluenceFeedback"] = of("chair", "engagement.InfluenceAccounts.ListInfluenceFeedbacks",
                                           "influence_account", lambda one, kind=kind: one == kind["InfluenceAccount"])
            kind["Partner"] = partner
        here["Transfer"] = of("treasurer", "remuneration.Transfers.ListTransfers", "kind", bool)
        for name, at in (("SchedulingSettings", "schedulingSettings"), ("EngagementSettings", "engagementSettings"),
                         ("RemunerationSettings", "remunerationSettings"), ("MembershipSettings", "membershipSettings")):
            here[name] = f"{FORUM}/{at}"
        here["Forum"] = FORUM


def resources():
    """By type: the pattern of its names, and the fields that say which partner's it is and how lists are ordered."""
    found = {}
    for folder, _, files in os.walk(os.path.join(TOP, "proto/coproduction")):
        for file in files:
            with open(os.path.join(folder, file)) as proto:
                text = re.sub(r"//.*", "", proto.read())
            for name, option in re.findall(r"message (\w+) \{\s*option \(options\.v1\.resource\) = \{(.*?)\};", text, re.S):
                said = dict(re.findall(r'(\w+): "([^"]*)"', option))
                found[name] = {"pattern": said["pattern"], "partner": said.get("partner"), "order": said.get("order")}
    return found
