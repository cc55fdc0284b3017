// Records are drafted by the partner, agreed by both and shared; the forum decides what happens
// next; the requestor says what changed.
#include "absl/strings/str_replace.h"
#include "coproduction/engagement/v1/further_involvements.pb.h"
#include "coproduction/engagement/v1/influence.pb.h"
#include "coproduction/engagement/v1/records.pb.h"
#include "services/hubctl/demo_turn.h"

namespace hub::ctl {
namespace {

namespace v1 = ::coproduction::engagement::v1;

// What engagement keeps of an item has the item's id.
std::string OfItem(const Turn& turn, const std::string& item, const std::string& collection) {
  return absl::StrReplaceAll(turn.Name(item), {{"/items/", "/" + collection + "/"}});
}

// Who writes for the partner whose item it is.
std::string WriterOf(const Turn& turn, const std::string& item) {
  const Row& request = turn.book().row("requests", turn.book().row("items", item)["Request"]);
  return turn.Facilitator(request["Partner"]);
}

Status WriteEntry(Turn& turn) {
  const std::string& item = turn.book().row("records", turn["Record"])["Item"];
  v1::AddPointRequest add;
  add.set_parent(turn.forum());
  add.set_record(OfItem(turn, item, "records"));
  add.set_kind(ValueOf(turn["Kind"], v1::Point::Kind_Parse));
  add.set_text(turn["Text"]);
  if (!turn["Corrects"].empty()) add.set_corrects(turn.Name(turn["Corrects"]));
  return turn.Make(WriterOf(turn, item), add);
}

template <class Request>
Status Move(Turn& turn, const std::string& who) {
  Request move;
  move.set_name(OfItem(turn, turn["Item"], "records"));
  return turn.Do(who, move);
}
Status Propose(Turn& turn) {
  return Move<v1::ProposeRecordRequest>(turn, WriterOf(turn, turn["Item"]));
}
Status ForumAgrees(Turn& turn) { return Move<v1::AgreeRecordRequest>(turn, turn.Holder("CHAIR")); }
Status PartnerAgrees(Turn& turn) {
  return Move<v1::AgreeRecordRequest>(turn, WriterOf(turn, turn["Item"]));
}
Status Share(Turn& turn) { return Move<v1::ShareRecordRequest>(turn, turn.Holder("CHAIR")); }

Status DecideFurther(Turn& turn) {
  v1::DecideFurtherInvolvementRequest decide;
  decide.set_parent(turn.forum());
  decide.set_item(turn.Name(turn["Key"]));
  decide.set_decision(ValueOf(turn["Further involvement"], v1::FurtherInvolvement::Decision_Parse));
  return turn.Do(turn.Holder("CHAIR"), decide);
}

Status GiveFeedback(Turn& turn) {
  v1::GiveFeedbackRequest give;
  give.set_name(OfItem(turn, turn["Item"], "influenceAccounts"));
  give.set_answer(ValueOf(turn["Answer"], v1::InfluenceFeedback::Answer_Parse));
  give.set_what(turn["What changed"]);
  give.set_link(turn["Link"]);
  give.set_why(turn["Why not, or not all"]);
  give.set_new_date(DayOf(turn["New date"]));
  for (const Row& row : turn.book().rows("feedback-points")) {
    if (row["Feedback"] != turn["Key"]) continue;
    v1::ViewAnswer* answer = give.add_view_answers();
    answer->set_point(turn.Name(row["Entry"]));
    answer->set_text(row["Answer to the point"]);
  }
  return turn.Do(turn.Officer(turn["Given by"], "REQUESTOR"), give);
}

}  // namespace

void PlanRecords(Plan* plan) {
  for (const Row& row : plan->book().rows("entries")) {
    plan->On(row, "Written", Step::kRecords, WriteEntry);
  }
  for (const Row& row : plan->book().rows("records")) {
    plan->On(row, "Proposed", Step::kRecords, Propose);
    plan->On(row, "Agreed by forum", Step::kRecords, ForumAgrees);
    // Who proposes has agreed.
    if (row["Agreed by partner"] != row["Proposed"]) {
      plan->On(row, "Agreed by partner", Step::kRecords, PartnerAgrees);
    }
    plan->On(row, "Shared", Step::kRecords, Share);
  }
  for (const Row& row : plan->book().rows("items")) {
    plan->On(row, "Further involvement decided on", Step::kFurtherInvolvement, DecideFurther);
  }
  for (const Row& row : plan->book().rows("feedback")) {
    plan->On(row, "Given", Step::kFeedback, GiveFeedback);
  }
}

}  // namespace hub::ctl
