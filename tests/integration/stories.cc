#include "tests/integration/stories.h"

#include "coproduction/membership/v1/members.pb.h"
#include "coproduction/membership/v1/reps.pb.h"
#include "coproduction/remuneration/v1/commitments.pb.h"
#include "coproduction/remuneration/v1/funds.pb.h"
#include "coproduction/scheduling/v1/items.pb.h"
#include "coproduction/scheduling/v1/sessions.pb.h"
#include "services/engagement/module.h"
#include "services/membership/module.h"
#include "services/remuneration/module.h"
#include "services/scheduling/module.h"

namespace hub::integration {
namespace {

namespace membership_v1 = ::coproduction::membership::v1;
namespace remuneration_v1 = ::coproduction::remuneration::v1;
namespace scheduling_v1 = ::coproduction::scheduling::v1;
using testing::MiniService;

void NobodyIsAsked(MiniService&) {}

void MembershipAllowsAndFundsPay(MiniService& mini) {
  mini.Answer<membership_v1::CheckAllocationRequest, membership_v1::CheckAllocationResponse>(
      [](const auto&) -> StatusOr<membership_v1::CheckAllocationResponse> {
        membership_v1::CheckAllocationResponse word;
        word.set_allowed(true);
        return word;
      });
  mini.Answer<membership_v1::ResolveAttendeesRequest, coproduction::type::v1::Attendees>(
      [](const auto&) -> StatusOr<coproduction::type::v1::Attendees> {
        return coproduction::type::v1::Attendees();
      });
  mini.Answer<remuneration_v1::ReserveCommitmentRequest, remuneration_v1::Commitment>(
      [](const auto& in) -> StatusOr<remuneration_v1::Commitment> {
        remuneration_v1::Commitment commitment;
        commitment.set_name("forums/warwickshire/commitments/" + IdOf(in.rep()));
        return commitment;
      });
}

void SchedulingKnowsTheItem(MiniService& mini) {
  mini.Answer<scheduling_v1::GetItemFactsRequest, scheduling_v1::ItemFacts>(
      [](const auto& in) -> StatusOr<scheduling_v1::ItemFacts> {
        scheduling_v1::ItemFacts facts;
        facts.set_item(in.name());
        facts.set_session("forums/warwickshire/sessions/s1");
        facts.set_partner("forums/warwickshire/partners/wcc");
        facts.set_session_date("2021-12-03");
        facts.set_series(scheduling_v1::Session::HUB);
        facts.set_activity_kind(scheduling_v1::Activity::HUB);
        facts.set_session_minutes(120);
        facts.set_state(scheduling_v1::Item::PRESENTED);
        facts.add_reps("forums/warwickshire/reps/ana");
        return facts;
      });
}

// A request that says everything.
constexpr char kRequest[] = R"(
    parent: "forums/warwickshire"
    request {
      title: "Short breaks" workstream: BUSINESS_AS_USUAL purpose: DISCUSSION
      decision_stage: OPTIONS can_change: "Where and when" cannot_change: "The budget"
      who_decides: "Cabinet" requestor: "Robin Example" team: "Commissioning" minutes_wanted: 20
      needed_by: "2022-03-31" papers: "none" attendees: "only the requestor"
    })";
constexpr char kTheRequest[] = R"(name: "$EngagementRequest")";
constexpr char kItem[] = R"(
    parent: "forums/warwickshire"
    item { request: "$EngagementRequest" session: "$Session" })";
constexpr char kTheItem[] = R"(name: "$Item")";
constexpr char kTheSession[] = R"(name: "$Session")";
constexpr char kTheRep[] = R"(name: "$Rep")";
constexpr char kTwoMembers[] = R"(
    parent: "forums/warwickshire" kept: "$Member" member: "$ApplyMemberResponse.member")";
constexpr char kTheMember[] = R"(name: "$Member")";
constexpr char kTheRightsRequest[] = R"(name: "$RightsRequest")";
constexpr char kTheClaim[] = R"(name: "$Claim")";
constexpr char kTheRecord[] = R"(name: "$Record")";

const Story& Membership() {
  static const Story story = {
      "membership",
      membership::MakeMembershipModule,
      "2021-07-31",
      NobodyIsAsked,
      {
          {"OPERATOR", "CreateForumRequest",
           R"(forum_id: "warwickshire" forum { display_name: "Warwickshire Parent Carer Voice" })"},
          {"CHAIR", "CreatePartnerRequest",
           R"(parent: "forums/warwickshire" partner_id: "wcc"
              partner { display_name: "The County Council" kind: COUNCIL })"},
          {"CHAIR", "CreateSharingEntryRequest",
           R"(parent: "forums/warwickshire" sharing_entry_id: "wcc-records"
              sharing_entry { partner: "forums/warwickshire/partners/wcc" clause: "3.3"
                              purpose: "To agree records." data: "records" })"},
          {"CHAIR", "EndSharingEntryRequest", R"(name: "$SharingEntry")"},
          {"CHAIR", "CreateGrantRequest",
           R"(parent: "forums/warwickshire"
              grant { issuer: "https://forum.test" subject: "sam" role: TREASURER })"},
          {"CHAIR", "EndGrantRequest", R"(name: "$Grant")"},
          {"CHAIR", "UpdateMembershipSettingsRequest",
           R"(membership_settings {
                name: "forums/warwickshire/membershipSettings" declaration_months: 6 }
              update_mask { paths: "declaration_months" })"},
          {"CHAIR", "PublishDocumentRequest",
           R"(parent: "forums/warwickshire" document { kind: TERMS_OF_REFERENCE text: "Be fair." })"},
          {"MEMBERSHIP_PLATFORM", "ApplyMemberRequest",
           R"(parent: "forums/warwickshire"
              member { given_name: "Joe" family_name: "Example" phone: "07700 900002" })"},
          {"MEMBERSHIP_PLATFORM", "ConfirmMemberRequest",
           R"(name: "$Member" confirmation_token: "$ApplyMemberResponse.confirmation_token")"},
          {"MEMBERSHIP_ADMIN", "CreateMemberRequest",
           R"(parent: "forums/warwickshire"
              member { given_name: "Jo" family_name: "Example" email: "jo@example.org"
                       residence: LIVES_HERE reach_by: EMAIL joined_on: "2021-05-04" })"},
          {"MEMBERSHIP_ADMIN", "FindDuplicatesRequest", R"(parent: "forums/warwickshire")"},
          {"MEMBERSHIP_ADMIN", "KeepApartRequest", kTwoMembers},
          {"MEMBERSHIP_ADMIN", "MergeMembersRequest", kTwoMembers},
          {"MEMBERSHIP_ADMIN", "UndoMergeRequest", R"(name: "$Duplicate")"},
          {"MEMBERSHIP_ADMIN", "LeaveMemberRequest", kTheMember},
          {"MEMBERSHIP_ADMIN", "RejoinMemberRequest", kTheMember},
          {"MEMBERSHIP_ADMIN", "UpdateMemberRequest",
           R"(member { name: "$Member" phone: "07700 900001" } update_mask { paths: "phone" })"},
          {"MEMBERSHIP_ADMIN", "SetConsentRequest",
           R"(name: "$Member" consent { purpose: NEWS given: true wording: "1" })"},
          {"MEMBER", "SetCharacteristicsRequest",
           R"(parent: "forums/warwickshire" characteristics { disability: NO })"},
          {"CHAIR", "CreateGroupRequest",
           R"(parent: "forums/warwickshire"
              group { display_name: "Short breaks" kind: PROJECT system: "slack"
                      eligibility { standing: MEMBER } })"},
          {"CHAIR", "UpdateGroupRequest",
           R"(group { name: "$Group" display_name: "Breaks" } update_mask { paths: "display_name" })"},
          {"MEMBERSHIP_ADMIN", "AddGroupMemberRequest",
           R"(parent: "forums/warwickshire" group: "$Group" member: "$Member")"},
          {"MEMBERSHIP_ADMIN", "LinkOutsideAccountRequest",
           R"(parent: "forums/warwickshire"
              outside_account { member: "$Member" system: "slack" outside_key: "U1" })"},
          {"MEMBERSHIP_ADMIN", "GetRosterRequest", R"(name: "$Group" since_on: "2021-07-30")"},
          {"MEMBERSHIP_ADMIN", "CheckRosterRequest",
           R"(name: "$Group" rows { outside_key: "U1" email: "jo@example.org" })"},
          {"MEMBERSHIP_ADMIN", "RemoveGroupMemberRequest", R"(name: "$GroupMembership")"},
          {"CHAIR", "CreateReachSeriesRequest",
           R"(parent: "forums/warwickshire"
              reach_series { display_name: "Followers" source: "Facebook" unit: "followers" })"},
          {"CHAIR", "UpdateReachSeriesRequest",
           R"(reach_series { name: "$ReachSeries" published: true }
              update_mask { paths: "published" })"},
          {"CHAIR", "RecordReachRequest",
           R"(name: "$ReachSeries" figure { date: "2021-07-31" value: 870 })"},
          {"CHAIR", "ImportPublicationRequest",
           R"(parent: "forums/warwickshire"
              publication { question: DISABILITY date: "2021-06-01" answered: 130
                            figures { answer: YES low: 27 high: 27 } })"},
          {"MEMBERSHIP_ADMIN", "CreateRepRequest",
           R"(parent: "forums/warwickshire" member: "$Member" most_hours_a_month: 8)"},
          {"CHAIR", "StartInductionRequest", kTheRep},
          {"CHAIR", "UpdateMembershipSettingsRequest",
           R"(membership_settings {
                name: "forums/warwickshire/membershipSettings" induction_steps: "Safeguarding" }
              update_mask { paths: "induction_steps" })"},
          {"CHAIR", "CompleteInductionStepRequest", R"(name: "$Rep" step: "Safeguarding")"},
          {"CHAIR", "CompleteInductionRequest", kTheRep},
          {"CHAIR", "AcceptDocumentRequest",
           R"(name: "$Document" rep: "$Rep" text_hash: "$Document.text_hash")"},
          {"CHAIR", "PublishDocumentRequest",
           R"(parent: "forums/warwickshire" document { kind: CODE_OF_CONDUCT text: "Be kind." })"},
          {"CHAIR", "AcceptDocumentRequest",
           R"(name: "$Document" rep: "$Rep" text_hash: "$Document.text_hash")"},
          {"CHAIR", "FindMissingAcceptancesRequest", R"(name: "$Document")"},
          {"CHAIR", "MakeDeclarationRequest",
           R"(parent: "forums/warwickshire" declaration { rep: "$Rep" nil: true })"},
          {"CHAIR", "MakeRecusalRequest",
           R"(parent: "forums/warwickshire"
              recusal { rep: "$Rep" party: "Tribunal team" ends_on: "2021-12-31" })"},
          {"CHAIR", "EndRecusalRequest", R"(name: "$Recusal")"},
          {"CHAIR", "ActivateRepRequest", kTheRep},
          {"CHAIR", "GetPoolRequest", R"(parent: "forums/warwickshire")"},
          {"CHAIR", "PauseRepRequest", kTheRep},
          {"CHAIR", "StandDownRepRequest", kTheRep},
          {"SERVICE", "CheckAllocationRequest", R"(parent: "forums/warwickshire" rep: "$Rep")"},
          {"MEMBERSHIP_ADMIN", "UpdateRepRequest",
           R"(rep { name: "$Rep" most_hours_a_month: 20 }
              update_mask { paths: "most_hours_a_month" })"},
          {"SERVICE", "ResolveAttendeesRequest", R"(parent: "forums/warwickshire" reps: "$Rep")"},
          {"MEMBERSHIP_ADMIN", "CreateRightsRequestRequest",
           R"(parent: "forums/warwickshire" member: "$Member" kind: RECTIFICATION
              details: "I moved." )"},
          {"CHAIR", "RefuseRightsRequestRequest",
           R"(name: "$RightsRequest" reason: "It says so already.")"},
          {"MEMBERSHIP_ADMIN", "CreateRightsRequestRequest",
           R"(parent: "forums/warwickshire" member: "$Member" kind: RESTRICTION
              ground: ACCURACY_CONTESTED details: "I moved." received_on: "2021-07-30")"},
          {"MEMBERSHIP_ADMIN", "AcknowledgeRightsRequestRequest", kTheRightsRequest},
          {"MEMBERSHIP_ADMIN", "AskPersonRequest",
           R"(name: "$RightsRequest" question: "Where to?")"},
          {"MEMBER", "AnswerQuestionRequest", R"(name: "$RightsRequest" answer: "To Rugby.")"},
          {"MEMBERSHIP_ADMIN", "ExtendRightsRequestRequest",
           R"(name: "$RightsRequest" months: 1 reason: "One of many.")"},
          {"MEMBERSHIP_ADMIN", "CompleteRightsRequestRequest",
           R"(name: "$RightsRequest" outcome: "It is only stored.")"},
          {"MEMBERSHIP_ADMIN", "LiftRestrictionRequest",
           R"(name: "$Member" told_on: "2021-07-31")"},
          {"MEMBERSHIP_ADMIN", "coproduction.hub.v1.GetPersonalDataRequest", kTheMember},
          {"SERVICE", "coproduction.hub.v1.ConfirmErasureRequest",
           R"(parent: "forums/warwickshire" rights_request: "$RightsRequest"
              confirmation { service: "scheduling" erased_on: "2021-07-31"
                             kinds { type: "Invitation" records: 3 } })"},
          {"dead letter", "coproduction.scheduling.events.v1.RepAllocated",
           R"(allocation: "forums/warwickshire/allocations/a1"
              rep: "forums/warwickshire/reps/nobody")"},
          {"OPERATOR", "coproduction.hub.v1.RedriveDeadLettersRequest", R"(service: "membership")"},
          {"OPERATOR", "coproduction.hub.v1.DiscardDeadLetterRequest",
           R"(service: "membership" event: "refused-1" reason: "There was no such rep.")"},
      }};
  return story;
}

const Story& Scheduling() {
  static const Story story = {
      "scheduling",
      scheduling::MakeSchedulingModule,
      "2021-11-15",
      MembershipAllowsAndFundsPay,
      {
          {"CHAIR", "UpdateSchedulingSettingsRequest",
           R"(scheduling_settings {
                name: "forums/warwickshire/schedulingSettings" lead_days: 13 }
              update_mask { paths: "lead_days" })"},
          {"FACILITATOR", "CreateSchoolHolidayRequest",
           R"(parent: "forums/warwickshire"
              school_holiday { title: "Christmas 2021" first_date: "2021-12-20"
                               last_date: "2022-01-03" })"},
          {"FACILITATOR", "CreateSessionRequest",
           R"(parent: "forums/warwickshire"
              session { series: HUB date: "2021-12-03" start_time: "11:00" })"},
          {"REQUESTOR", "CreateRequestRequest", kRequest},
          {"REQUESTOR", "UpdateRequestRequest",
           R"(request { name: "$EngagementRequest" minutes_wanted: 25 }
              update_mask { paths: "minutes_wanted" })"},
          {"REQUESTOR", "SubmitRequestRequest", kTheRequest},
          {"FACILITATOR", "AskForInformationRequest",
           R"(name: "$EngagementRequest" question: "Which area is it?")"},
          {"REQUESTOR", "SubmitRequestRequest", kTheRequest},
          {"CHAIR", "WaiveLatenessRequest",
           R"(name: "$EngagementRequest" reason: "It cannot wait.")"},
          {"FACILITATOR", "AcceptRequestRequest", kTheRequest},
          {"FACILITATOR", "TakeBackAcceptanceRequest", kTheRequest},
          {"FACILITATOR", "AcceptRequestRequest", kTheRequest},
          {"CHAIR", "AcceptRequestRequest", kTheRequest},
          {"FACILITATOR", "CreateItemRequest", kItem},
          {"FACILITATOR", "UpdateItemRequest",
           R"(item { name: "$Item" minutes_planned: 20 } update_mask { paths: "minutes_planned" })"},
          {"CHAIR", "InviteRepRequest",
           R"(parent: "forums/warwickshire" rep: "forums/warwickshire/reps/ana"
              session: "$Session")"},
          {"REP", "ReplyToInvitationRequest", R"(name: "$Invitation" reply: YES)"},
          {"CHAIR", "AllocateRepRequest",
           R"(parent: "forums/warwickshire" rep: "forums/warwickshire/reps/ana" item: "$Item")"},
          {"CHAIR", "EndAllocationRequest", R"(name: "$Allocation" reason: "ill")"},
          {"FACILITATOR", "SetJoiningLinkRequest",
           R"(name: "$Session" joining_link: "https://example.org/meet")"},
          {"FACILITATOR", "AgreeFaceToFaceRequest", kTheSession},
          {"FACILITATOR", "ProposeAgendaRequest",
           R"(name: "$Session" link_person: "the participation officer"
              brief: "We talk about short breaks." prep: IN_WRITING)"},
          {"FACILITATOR", "AgreeAgendaRequest", kTheSession},
          {"FACILITATOR", "TakeBackAgendaRequest", kTheSession},
          {"FACILITATOR", "AgreeAgendaRequest", kTheSession},
          {"CHAIR", "AgreeAgendaRequest", kTheSession},
          {"CHAIR", "GetSessionAttendeesRequest", kTheSession},
          {"date", "2021-12-03", ""},
          {"CHAIR", "PresentItemRequest", R"(name: "$Item" minutes_actual: 25)"},
          {"CHAIR", "SetStageFeltRequest", R"(name: "$Item" stage_felt: DRAFT)"},
          {"CHAIR", "HoldSessionRequest", R"(name: "$Session" reps_present: 4)"},
          {"SERVICE", "GetItemFactsRequest", kTheItem},
          {"SERVICE", "GetSessionFactsRequest", kTheSession},
          // Another session for what does not come about.
          {"FACILITATOR", "CreateSessionRequest",
           R"(parent: "forums/warwickshire"
              session { series: HUB date: "2021-12-17" start_time: "11:00" })"},
          {"REQUESTOR", "CreateRequestRequest", kRequest},
          {"REQUESTOR", "SubmitRequestRequest", kTheRequest},
          {"FACILITATOR", "AcceptRequestRequest", kTheRequest},
          {"CHAIR", "AcceptRequestRequest", kTheRequest},
          {"FACILITATOR", "CreateItemRequest", kItem},
          {"FACILITATOR", "DropItemRequest", kTheItem},
          {"CHAIR", "CancelSessionRequest", R"(name: "$Session" reason: "snow")"},
          {"REQUESTOR", "WithdrawRequestRequest", kTheRequest},
          {"REQUESTOR", "CreateRequestRequest", kRequest},
          {"REQUESTOR", "SubmitRequestRequest", kTheRequest},
          {"CHAIR", "DeclineRequestRequest",
           R"(name: "$EngagementRequest" reason: "The survey of May answers it.")"},
          // What the tables are about: an item that is planned, a draft.
          {"FACILITATOR", "CreateSessionRequest",
           R"(parent: "forums/warwickshire"
              session { series: HUB date: "2022-01-14" start_time: "11:00" })"},
          {"REQUESTOR", "CreateRequestRequest", kRequest},
          {"REQUESTOR", "SubmitRequestRequest", kTheRequest},
          {"FACILITATOR", "AcceptRequestRequest", kTheRequest},
          {"CHAIR", "AcceptRequestRequest", kTheRequest},
          {"FACILITATOR", "CreateItemRequest", kItem},
          {"REQUESTOR", "CreateRequestRequest", kRequest},
      }};
  return story;
}

const Story& Engagement() {
  static const Story story = {
      "engagement",
      engagement::MakeEngagementModule,
      "2021-12-03",
      SchedulingKnowsTheItem,
      {
          {"CHAIR", "UpdateEngagementSettingsRequest",
           R"(settings { name: "forums/warwickshire/engagementSettings" influence_days: 50
                         danger_notice: "In danger? Call 999."
                         danger_notice_checked_on: "2021-12-01" }
              update_mask { paths: "influence_days" paths: "danger_notice"
                            paths: "danger_notice_checked_on" })"},
          {"event", "coproduction.scheduling.events.v1.ItemPresented",
           R"(item: "forums/warwickshire/items/i1" request: "forums/warwickshire/requests/r1"
              session: "forums/warwickshire/sessions/s1"
              partner: "forums/warwickshire/partners/wcc" session_date: "2021-12-03"
              title: "Short breaks" team: "Commissioning" requestor_person: "requestor")"},
          {"CHAIR", "TakeAttendanceRequest",
           R"(parent: "forums/warwickshire" rep: "forums/warwickshire/reps/ana"
              item: "forums/warwickshire/items/i1")"},
          {"FACILITATOR", "AddPointRequest",
           R"(parent: "forums/warwickshire" record: "$Record" kind: VIEW
              text: "too late in the day")"},
          {"FACILITATOR", "ProposeRecordRequest", kTheRecord},
          {"CHAIR", "DisputeRecordRequest", R"(name: "$Record" reason: "It says too little.")"},
          {"FACILITATOR", "ProposeRecordRequest", kTheRecord},
          {"CHAIR", "AgreeRecordRequest", kTheRecord},
          {"CHAIR", "ShareRecordRequest", kTheRecord},
          {"REQUESTOR", "GiveFeedbackRequest",
           R"(name: "$InfluenceAccount" answer: CHANGED what: "It is in the morning now."
              view_answers { point: "$Point" text: "it is at 10 now" })"},
          {"CHAIR", "RecogniseFeedbackRequest", R"(name: "$InfluenceAccount" recognition: AGREE)"},
          {"CHAIR", "DecideFurtherInvolvementRequest",
           R"(parent: "forums/warwickshire" item: "forums/warwickshire/items/i1" decision: RETURN
              wish: "Come back with the figures.")"},
          {"CHAIR", "CloseAccountRequest", R"(name: "$InfluenceAccount")"},
          {"MEMBER", "GiveLiveFeedbackRequest",
           R"(parent: "forums/warwickshire" text: "The bus never came." theme: "school-transport")"},
          {"CHAIR", "TriageLiveFeedbackRequest", R"(name: "$LiveFeedback" demand: FAILURE)"},
      }};
  return story;
}

const Story& Remuneration() {
  static const Story story = {
      "remuneration",
      remuneration::MakeRemunerationModule,
      "2022-05-02",
      NobodyIsAsked,
      {
          {"CHAIR", "UpdateRemunerationSettingsRequest",
           R"(remuneration_settings {
                name: "forums/warwickshire/remunerationSettings" claim_wait_days: 90 }
              update_mask { paths: "claim_wait_days" })"},
          {"TREASURER", "SetRateRequest",
           R"(parent: "forums/warwickshire"
              rate { kind: MILEAGE_CAR from_date: "2022-04-25" tenth_pence: 450 })"},
          {"TREASURER", "SetRateRequest",
           R"(parent: "forums/warwickshire"
              rate { kind: FEE_TWO_HOURS from_date: "2022-01-01" tenth_pence: 50000 })"},
          {"TREASURER", "CreateFundRequest",
           R"(parent: "forums/warwickshire"
              fund { title: "Grant" giver: "Department" from_date: "2022-04-01"
                     to_date: "2023-03-31" amount_pence: 1750000
                     pays: HUB pays: PREP pays: BOARD pays: PRIORITY })"},
          {"SERVICE", "ReserveCommitmentRequest",
           R"(parent: "forums/warwickshire" rep: "forums/warwickshire/reps/ben"
              session: "forums/warwickshire/sessions/s1" session_date: "2022-05-06"
              activity_kind: HUB minutes: 120)"},
          {"SERVICE", "ReleaseCommitmentRequest", R"(name: "$Commitment")"},
          {"SERVICE", "ReserveCommitmentRequest",
           R"(parent: "forums/warwickshire" rep: "forums/warwickshire/reps/ana"
              session: "forums/warwickshire/sessions/s1" session_date: "2022-05-06"
              activity_kind: HUB minutes: 120)"},
          {"SERVICE", "ConfirmCommitmentRequest", R"(name: "$Commitment")"},
          {"date", "2022-05-09", ""},
          {"event", "coproduction.engagement.events.v1.AttendanceRecorded",
           R"(attendance: "forums/warwickshire/attendances/a1" rep: "forums/warwickshire/reps/ana"
              session: "forums/warwickshire/sessions/s1" session_date: "2022-05-06"
              activity_kind: HUB session_minutes: 120)"},
          {"REP", "PrefillClaimRequest",
           R"(parent: "forums/warwickshire" from_date: "2022-05-01" to_date: "2022-05-08")"},
          {"REP", "AddLineRequest",
           R"(name: "$Claim" kind: MILEAGE date: "2022-05-06" entitlement: "$Entitlement"
              vehicle: CAR tenths_of_miles: 124 evidence: "to Warwick and back")"},
          {"REP", "WithdrawLineRequest", R"(name: "$Claim" line: "$ClaimLine")"},
          {"REP", "SubmitClaimRequest", kTheClaim},
          {"CHAIR", "ReturnClaimRequest", R"(name: "$Claim" reason: "Which day was it?")"},
          {"REP", "SubmitClaimRequest", kTheClaim},
          {"CHAIR", "ApproveClaimRequest", kTheClaim},
          {"TREASURER", "PayClaimRequest", kTheClaim},
          // Two more for the other ends that a claim can come to.
          {"REP", "PrefillClaimRequest",
           R"(parent: "forums/warwickshire" from_date: "2022-05-01" to_date: "2022-05-08")"},
          {"REP", "AddLineRequest",
           R"(name: "$Claim" kind: OTHER date: "2022-05-06" amount_pence: 350
              evidence: "a printed form")"},
          {"REP", "SubmitClaimRequest", kTheClaim},
          {"CHAIR", "RefuseClaimRequest", R"(name: "$Claim" reason: "It was paid in April.")"},
          {"REP", "PrefillClaimRequest",
           R"(parent: "forums/warwickshire" from_date: "2022-05-01" to_date: "2022-05-08")"},
          {"REP", "CancelClaimRequest", kTheClaim},
          {"SERVICE", "CheckFundingRequest",
           R"(parent: "forums/warwickshire" activity_kind: HUB date: "2022-05-06")"},
      }};
  return story;
}

}  // namespace

const std::vector<Story>& Stories() {
  static const std::vector<Story> stories = {Membership(), Scheduling(), Engagement(),
                                             Remuneration()};
  return stories;
}

}  // namespace hub::integration
