#include "services/engagement/records_rpc.h"

#include <algorithm>

#include "common/base/id.h"
#include "common/privacy/seal.h"
#include "common/rpc/door.h"
#include "coproduction/engagement/events/v1/records.pb.h"

namespace hub::engagement {

namespace events = ::coproduction::engagement::events::v1;

static std::string HashOf(const v1::Record& record, const std::vector<v1::Point>& points) {
  return Hex(privacy::Sha256(CanonicalContent(record.item(), points)));
}

StatusOr<std::vector<v1::Point>> PointsOf(Read& read, const v1::Record& record) {
  return read.Select<v1::Point>("record_id = $2 ORDER BY position", {IdOf(record.name())});
}

StatusOr<v1::Record> Seal(Write& write, v1::Record record, const std::string& agreed_on) {
  ASSIGN_OR_RETURN(auto points, PointsOf(write, record));
  record.set_state(v1::Record::AGREED);
  record.set_agreed_on(agreed_on);
  record.clear_seals_on();
  record.set_content_hash(HashOf(record, points));
  record.set_sealed_points(static_cast<int64_t>(points.size()));
  write.Emit<events::RecordAgreed>(record);
  return write.Put(std::move(record));
}

// The caller's side's word; from the first word on the other side's silence counts.
static Status GiveWordOn(Write& write, v1::Record* record) {
  RETURN_IF_ERROR(GiveWord(write, record->mutable_agreement()));
  if (record->has_seals_on()) return Status();
  ASSIGN_OR_RETURN(auto settings, write.Settings<v1::EngagementSettings>());
  record->set_seals_on(SealsOn(*record, settings, write.today()));
  return Status();
}

static StatusOr<v1::Record> ProposeRecord(Write& write, const v1::ProposeRecordRequest& in) {
  ASSIGN_OR_RETURN(auto record, write.Get<v1::Record>(in.name(), in.etag()));
  RETURN_IF_ERROR(MayPropose(record));
  RETURN_IF_ERROR(GiveWordOn(write, &record));
  record.set_state(v1::Record::PROPOSED);
  if (!record.has_proposed_on()) record.set_proposed_on(write.today());
  write.Emit<events::RecordProposed>(record);
  return write.Put(std::move(record));
}

static StatusOr<v1::Record> AgreeRecord(Write& write, const v1::AgreeRecordRequest& in) {
  ASSIGN_OR_RETURN(auto record, write.Get<v1::Record>(in.name(), in.etag()));
  RETURN_IF_ERROR(GiveWordOn(write, &record));
  if (Both(record.agreement())) return Seal(write, std::move(record), write.today());
  return write.Put(std::move(record));
}

static StatusOr<v1::Record> DisputeRecord(Write& write, const v1::DisputeRecordRequest& in) {
  ASSIGN_OR_RETURN(auto record, write.Get<v1::Record>(in.name(), in.etag()));
  TakeBackWords(&record);
  record.set_state(v1::Record::DRAFT);
  record.set_dispute(in.reason());
  return write.Put(std::move(record));
}

static StatusOr<v1::Record> ShareRecord(Write& write, const v1::ShareRecordRequest& in) {
  ASSIGN_OR_RETURN(auto record, write.Get<v1::Record>(in.name(), in.etag()));
  record.set_state(v1::Record::SHARED);
  record.set_shared_on(write.today());
  write.Emit<events::RecordShared>(record);
  return write.Put(std::move(record));
}

static StatusOr<v1::Point> AddPoint(Write& write, const v1::AddPointRequest& in) {
  ASSIGN_OR_RETURN(auto record, write.Get<v1::Record>(in.record()));
  ASSIGN_OR_RETURN(auto settings, write.Settings<v1::EngagementSettings>());
  std::optional<v1::Point> corrected;
  if (!in.corrects().empty()) {
    ASSIGN_OR_RETURN(corrected, write.Get<v1::Point>(in.corrects()));
  }
  v1::Point point = NewPoint(in, record, write.today());
  RETURN_IF_ERROR(MayAdd(point, record, corrected, settings));
  record.set_points(point.position());
  if (!IsSealed(record)) TakeBackWords(&record);
  RETURN_IF_ERROR(write.Put(std::move(record)).status());
  return write.Create(std::move(point));
}

static Status FillRecord(Read& read, v1::Record* record) {
  record->set_draft_late(IsLate(record->draft_due_on(), record->proposed_on(), read.today()));
  record->set_share_late(IsLate(record->share_due_on(), record->shared_on(), read.today()));
  if (!IsSealed(*record)) return Status();
  ASSIGN_OR_RETURN(auto points, PointsOf(read, *record));
  points.resize(std::min<size_t>(points.size(), record->sealed_points()));
  record->set_seal_holds(HashOf(*record, points) == record->content_hash());
  return Status();
}

void BindRecords(Door& door) {
  const char service[] = "coproduction.engagement.v1.Records";
  door.Bind(service, "ProposeRecord", ProposeRecord);
  door.Bind(service, "AgreeRecord", AgreeRecord);
  door.Bind(service, "DisputeRecord", DisputeRecord);
  door.Bind(service, "ShareRecord", ShareRecord);
  door.Bind(service, "AddPoint", AddPoint);
  door.Computed<v1::Record>(FillRecord);
}

}  // namespace hub::engagement
