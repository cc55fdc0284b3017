// The message is the record: what goes into the table of a resource comes out again, for every
// resource of every service, at the edges of every kind of column.
#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/db/conformance.h"
#include "common/db/record.h"
#include "common/privacy/seal.h"
#include "coproduction/membership/v1/characteristics.pb.h"
#include "coproduction/scheduling/v1/requests.pb.h"
#include "google/protobuf/util/message_differencer.h"

namespace hub::db {
namespace {

using coproduction::membership::v1::MemberCharacteristics;
using coproduction::scheduling::v1::EngagementRequest;
using google::protobuf::FieldDescriptor;
using google::protobuf::util::MessageDifferencer;
using schema::Column;
using schema::Resource;

constexpr char kText[] = "Siân's \"£5\" \\ $1\n日本語 😀";
constexpr Micros kInstant = 1627731000500001;

// Seals under a key of the person, as the key store's would.
class TestSealer : public Sealer {
 public:
  StatusOr<std::string> Seal(const std::string& service, const std::string& person,
                             const std::string& plain, const std::string& bound_to) override {
    return privacy::Seal(Key(service, person), plain, bound_to);
  }
  StatusOr<std::string> Open(const std::string& service, const std::string& person,
                             const std::string& sealed, const std::string& bound_to) override {
    return privacy::Open(Key(service, person), sealed, bound_to);
  }

 private:
  static std::string Key(const std::string& service, const std::string& person) {
    return Sha256(service + "|" + person);
  }
};

std::vector<const Resource*> AllResources() {
  std::vector<const Resource*> all;
  for (const char* service : {"engagement", "membership", "remuneration", "scheduling"}) {
    for (const auto* resource : schema::Resources(service)) all.push_back(resource);
  }
  return all;
}

std::unique_ptr<Message> New(const Resource& resource) {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(resource.type)->New());
}

const char* TypeOf(const Column& column) {
  switch (column.kind) {
    case Column::kInteger:
    case Column::kBool:
    case Column::kTime:
      return "{int64}";
    case Column::kValue:
      return "{bytes}";
    default:
      return "{text}";
  }
}

// A table of the resource's columns and no more: no rule of the domain is judged here.
std::string TableOf(const Resource& resource, const std::string& more = "") {
  std::string sql = "CREATE TABLE " + resource.option->table() +
                    "(forum {text} NOT NULL, id {text} NOT NULL, version {int64} NOT NULL";
  if (resource.sealed()) {
    sql += ", subject {text} NOT NULL, body {bytes} NOT NULL";
  } else {
    for (const auto& column : resource.columns) {
      sql += ", " + column.name + " " + TypeOf(column) + (column.nullable ? "" : " NOT NULL");
    }
  }
  return sql + more + ", PRIMARY KEY (forum, id)) {strict}";
}

// A value of some length in every field of a value, two levels down.
void FillValue(Message* message, int depth) {
  const auto* reflection = message->GetReflection();
  for (int i = 0; i < message->GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message->GetDescriptor()->field(i);
    for (int times = field->is_repeated() ? 2 : 1; times > 0; --times) {
      switch (field->cpp_type()) {
        case FieldDescriptor::CPPTYPE_STRING:
          field->is_repeated() ? reflection->AddString(message, field, kText)
                               : reflection->SetString(message, field, kText);
          break;
        case FieldDescriptor::CPPTYPE_INT32:
          field->is_repeated() ? reflection->AddInt32(message, field, -7)
                               : reflection->SetInt32(message, field, -7);
          break;
        case FieldDescriptor::CPPTYPE_INT64:
          field->is_repeated() ? reflection->AddInt64(message, field, 5000000000)
                               : reflection->SetInt64(message, field, 5000000000);
          break;
        case FieldDescriptor::CPPTYPE_BOOL:
          field->is_repeated() ? reflection->AddBool(message, field, true)
                               : reflection->SetBool(message, field, true);
          break;
        case FieldDescriptor::CPPTYPE_ENUM: {
          const auto* last = field->enum_type()->value(field->enum_type()->value_count() - 1);
          field->is_repeated() ? reflection->AddEnum(message, field, last)
                               : reflection->SetEnum(message, field, last);
          break;
        }
        case FieldDescriptor::CPPTYPE_MESSAGE:
          if (depth > 0) {
            FillValue(field->is_repeated() ? reflection->AddMessage(message, field)
                                           : reflection->MutableMessage(message, field),
                      depth - 1);
          }
          break;
        default:
          ADD_FAILURE() << field->full_name() << " is of a kind that no resource had before";
      }
    }
  }
}

void SetColumn(const Column& column, Message* record) {
  const auto* reflection = record->GetReflection();
  const FieldDescriptor* field = column.field;
  switch (column.kind) {
    case Column::kText:
      return reflection->SetString(record, field, kText);
    case Column::kReference: {
      const auto* target = schema::FindResource(schema::FieldOption(field).reference());
      const bool forum = target->collection.empty();
      return reflection->SetString(
          record, field,
          schema::MakeName(*target, forum ? "elsewhere" : "w", forum ? "" : "other"));
    }
    case Column::kInteger:
      return field->cpp_type() == FieldDescriptor::CPPTYPE_INT32
                 ? reflection->SetInt32(record, field, 2147483647)
                 : reflection->SetInt64(record, field, (int64_t{1} << 53) + 1);
    case Column::kBool:
      return reflection->SetBool(record, field, true);
    case Column::kEnum:
      return reflection->SetEnum(record, field,
                                 field->enum_type()->value(field->enum_type()->value_count() - 1));
    case Column::kTime:
      return reflection->MutableMessage(record, field)->CopyFrom(ToTimestamp(kInstant));
    case Column::kValue: {
      Message* value = field->is_repeated() ? nullptr : reflection->MutableMessage(record, field);
      if (value != nullptr) return FillValue(value, 1);
      for (int times = 0; times < 2; ++times) {
        switch (field->cpp_type()) {
          case FieldDescriptor::CPPTYPE_MESSAGE:
            FillValue(reflection->AddMessage(record, field), 1);
            break;
          case FieldDescriptor::CPPTYPE_ENUM:
            reflection->AddEnum(record, field, field->enum_type()->value(times));
            break;
          case FieldDescriptor::CPPTYPE_INT64:
            reflection->AddInt64(record, field, (int64_t{1} << 53) + times);
            break;
          case FieldDescriptor::CPPTYPE_STRING:
            reflection->AddString(record, field, kText + std::to_string(times));
            break;
          default:
            ADD_FAILURE() << field->full_name() << " is of a kind that no resource had before";
        }
      }
    }
  }
}

class Records : public Conformance {
 protected:
  void MakeTable(const Resource& resource) { Script(TableOf(resource)); }

  void Name(const Resource& resource, Message* record, int64_t version = 1,
            const std::string& forum = "w", const std::string& id = "one") {
    record->GetReflection()->SetString(record, resource.name,
                                       schema::MakeName(resource, forum, id));
    schema::SetVersion(record, version);
  }
  Status Insert(const Resource& resource, const Message& record, const std::string& forum = "w",
                const std::string& id = "one") {
    return store().WriteAndWait([&](Conn& conn) {
      return InsertRecord(conn, &sealer_, resource, forum, id, record).status();
    });
  }
  Status Update(const Resource& resource, const Message& record,
                const std::vector<std::string>& paths, const std::string& id = "one") {
    return store().WriteAndWait(
        [&](Conn& conn) { return UpdateRecord(conn, &sealer_, resource, "w", id, record, paths); });
  }
  StatusOr<bool> Read(const Resource& resource, Message* record, const std::string& forum = "w",
                      const std::string& id = "one") {
    bool found = false;
    RETURN_IF_ERROR(store().ReadAndWait([&](Conn& conn) -> Status {
      record->Clear();
      ASSIGN_OR_RETURN(found, ReadRecord(conn, &sealer_, resource, "", {forum, id}, false, record));
      return Status();
    }));
    return found;
  }
  // Inserts it, and it comes back the same.
  void ExpectKept(const Resource& resource, const Message& record) {
    Status status = Insert(resource, record);
    ASSERT_TRUE(status.ok()) << resource.type->full_name() << ": " << status;
    auto back = New(resource);
    auto found = Read(resource, back.get());
    ASSERT_TRUE(found.ok()) << resource.type->full_name() << ": " << found.status();
    EXPECT_TRUE(*found);
    std::string difference;
    MessageDifferencer differencer;
    differencer.ReportDifferencesToString(&difference);
    EXPECT_TRUE(differencer.Compare(record, *back)) << resource.type->full_name() << difference;
    ASSERT_TRUE(Exec("DELETE FROM " + resource.option->table()).ok());
  }
  // For each column of that kind in any service: its value is `set`, and comes back.
  void ForEach(Column::Kind kind, const std::function<void(const Resource&, const Column&)>& each) {
    int columns = 0;
    for (const auto* resource : AllResources()) {
      if (resource->sealed()) continue;
      bool made = false;
      for (const auto& column : resource->columns) {
        if (column.kind != kind) continue;
        if (!std::exchange(made, true)) MakeTable(*resource);
        each(*resource, column);
        ++columns;
      }
      if (made) Script("DROP TABLE " + resource->option->table());
    }
    EXPECT_GT(columns, 0);
  }
  static const Resource& Requests() {
    return *schema::FindResource(EngagementRequest::descriptor());
  }
  EngagementRequest Draft() {
    EngagementRequest draft;
    Name(Requests(), &draft);
    draft.set_title("Short breaks");
    draft.set_partner("forums/w/partners/wcc");
    draft.set_state(EngagementRequest::DRAFT);
    return draft;
  }

  TestSealer sealer_;
};
ON_BOTH(Records);

TEST_P(Records, EveryResourceComesBackAsItWentIn) {
  for (const auto* resource : AllResources()) {
    MakeTable(*resource);
    auto record = New(*resource);
    for (const auto& column : resource->columns) SetColumn(column, record.get());
    Name(*resource, record.get(), int64_t{1} << 53);
    ExpectKept(*resource, *record);
  }
}

TEST_P(Records, EveryResourceOfWhichNothingIsSaidComesBackSo) {
  for (const auto* resource : AllResources()) {
    MakeTable(*resource);
    auto record = New(*resource);
    Name(*resource, record.get());
    ExpectKept(*resource, *record);
  }
}

TEST_P(Records, IntegersAtTheEndsOfTheirWidth) {
  ForEach(Column::kInteger, [&](const Resource& resource, const Column& column) {
    const bool narrow = column.field->cpp_type() == FieldDescriptor::CPPTYPE_INT32;
    for (int64_t number : {narrow ? int64_t{INT32_MIN} : kMin, int64_t{-1}, int64_t{0}, int64_t{1},
                           narrow ? int64_t{INT32_MAX} : kMax}) {
      auto record = New(resource);
      Name(resource, record.get());
      narrow ? record->GetReflection()->SetInt32(record.get(), column.field,
                                                 static_cast<int32_t>(number))
             : record->GetReflection()->SetInt64(record.get(), column.field, number);
      ExpectKept(resource, *record);
    }
  });
}

TEST_P(Records, AYesAndANoAndNothingAreThree) {
  ForEach(Column::kBool, [&](const Resource& resource, const Column& column) {
    for (bool value : {true, false}) {
      auto record = New(resource);
      Name(resource, record.get());
      record->GetReflection()->SetBool(record.get(), column.field, value);
      ExpectKept(resource, *record);
    }
  });
}

TEST_P(Records, EveryEnumIsStoredByItsName) {
  ForEach(Column::kEnum, [&](const Resource& resource, const Column& column) {
    for (int i = 0; i < column.field->enum_type()->value_count(); ++i) {
      auto record = New(resource);
      Name(resource, record.get());
      record->GetReflection()->SetEnum(record.get(), column.field,
                                       column.field->enum_type()->value(i));
      ASSERT_TRUE(Insert(resource, *record).ok());
      EXPECT_THAT(Rows("SELECT " + column.name + " FROM " + resource.option->table(), {}, "t"),
                  ElementsAre(column.field->enum_type()->value(i)->name()));
      ASSERT_TRUE(Exec("DELETE FROM " + resource.option->table()).ok());
      ExpectKept(resource, *record);
    }
  });
}

TEST_P(Records, InstantsToTheMicrosecond) {
  ForEach(Column::kTime, [&](const Resource& resource, const Column& column) {
    for (Micros at : {Micros{-62135596800000000}, Micros{-1}, Micros{0}, kInstant,
                      Micros{253402300799999999}}) {
      auto record = New(resource);
      Name(resource, record.get());
      record->GetReflection()
          ->MutableMessage(record.get(), column.field)
          ->CopyFrom(ToTimestamp(at));
      ExpectKept(resource, *record);
    }
  });
}

TEST_P(Records, TextsAsTheyAre) {
  ForEach(Column::kText, [&](const Resource& resource, const Column& column) {
    for (const std::string& text :
         {std::string(" "), std::string(kText), std::string(50000, 'x')}) {
      auto record = New(resource);
      Name(resource, record.get());
      record->GetReflection()->SetString(record.get(), column.field, text);
      ExpectKept(resource, *record);
    }
  });
}

TEST_P(Records, AnOptionalTextThatIsEmptyIsNotOneThatIsMissing) {
  ForEach(Column::kText, [&](const Resource& resource, const Column& column) {
    if (!column.nullable) return;
    auto record = New(resource);
    Name(resource, record.get());
    record->GetReflection()->SetString(record.get(), column.field, "");
    ExpectKept(resource, *record);
    auto back = New(resource);
    ASSERT_TRUE(Insert(resource, *record).ok());
    ASSERT_TRUE(Read(resource, back.get()).ok());
    EXPECT_TRUE(back->GetReflection()->HasField(*back, column.field)) << column.name;
    ASSERT_TRUE(Exec("DELETE FROM " + resource.option->table()).ok());
  });
}

TEST_P(Records, AReferenceIsStoredByItsIdAndReadAsAName) {
  ForEach(Column::kReference, [&](const Resource& resource, const Column& column) {
    auto record = New(resource);
    Name(resource, record.get());
    SetColumn(column, record.get());
    ASSERT_TRUE(Insert(resource, *record).ok());
    auto rows = Rows("SELECT " + column.name + " FROM " + resource.option->table(), {}, "t");
    ASSERT_THAT(rows, SizeIs(1));
    EXPECT_THAT(rows[0], Not(HasSubstr("/"))) << column.name;
    ASSERT_TRUE(Exec("DELETE FROM " + resource.option->table()).ok());
    ExpectKept(resource, *record);
  });
}

TEST_P(Records, ValuesWithAllTheyHold) {
  ForEach(Column::kValue, [&](const Resource& resource, const Column& column) {
    auto record = New(resource);
    Name(resource, record.get());
    SetColumn(column, record.get());
    ExpectKept(resource, *record);
  });
}

TEST_P(Records, WhatANewerVersionPutIntoAValueIsKept) {
  MakeTable(Requests());
  EngagementRequest draft = Draft();
  draft.mutable_acceptance()->set_forum_person("chair");
  auto* acceptance = draft.mutable_acceptance();
  acceptance->GetReflection()
      ->MutableUnknownFields(acceptance)
      ->AddLengthDelimited(1999, "a field of a later version");
  ASSERT_TRUE(Insert(Requests(), draft).ok());
  EngagementRequest back;
  ASSERT_TRUE(Read(Requests(), &back).ok());
  ASSERT_EQ(back.acceptance().GetReflection()->GetUnknownFields(back.acceptance()).field_count(),
            1);
  // And is still there when this version has stored the record again.
  back.mutable_acceptance()->set_partner_person("head");
  schema::SetVersion(&back, 2);
  ASSERT_TRUE(Update(Requests(), back, {"acceptance"}).ok());
  EngagementRequest again;
  ASSERT_TRUE(Read(Requests(), &again).ok());
  EXPECT_EQ(again.acceptance().partner_person(), "head");
  const auto& unknown = again.acceptance().GetReflection()->GetUnknownFields(again.acceptance());
  ASSERT_EQ(unknown.field_count(), 1);
  EXPECT_EQ(unknown.field(0).length_delimited(), "a field of a later version");
}

TEST_P(Records, AnEnumValueOfANewerVersionIsAnErrorAndNoOtherValue) {
  MakeTable(Requests());
  ASSERT_TRUE(Insert(Requests(), Draft()).ok());
  ASSERT_TRUE(Exec("UPDATE requests SET state = 'ARCHIVED'").ok());
  EngagementRequest back;
  Status status = Read(Requests(), &back).status();
  EXPECT_EQ(RefusalOf(status), errors::INTERNAL_FAULT) << status;
  EXPECT_THAT(MessageOf(status), HasSubstr("state"));
}

TEST_P(Records, BytesThatAreNoValueAreAnError) {
  MakeTable(Requests());
  ASSERT_TRUE(Insert(Requests(), Draft()).ok());
  ASSERT_TRUE(Exec("UPDATE requests SET acceptance = $1", {Bytes{"\xff\xff\xff"}}).ok());
  EngagementRequest back;
  Status status = Read(Requests(), &back).status();
  EXPECT_EQ(RefusalOf(status), errors::INTERNAL_FAULT) << status;
  EXPECT_THAT(MessageOf(status), HasSubstr("acceptance"));
}

TEST_P(Records, AnUpdateWritesTheNamedPathsAndTheVersionAndNoMore) {
  MakeTable(Requests());
  EngagementRequest draft = Draft();
  ASSERT_TRUE(Insert(Requests(), draft).ok());
  EngagementRequest changed = draft;
  changed.set_title("Transport");
  changed.set_team("not named");
  schema::SetVersion(&changed, 2);
  ASSERT_TRUE(Update(Requests(), changed, {"title"}).ok());
  EngagementRequest back;
  ASSERT_TRUE(Read(Requests(), &back).ok());
  draft.set_title("Transport");
  schema::SetVersion(&draft, 2);
  EXPECT_TRUE(MessageDifferencer::Equals(draft, back)) << back.DebugString();
}

TEST_P(Records, AnUpdateClearsWhatIsNoLongerSaid) {
  MakeTable(Requests());
  EngagementRequest draft = Draft();
  draft.set_needed_by("2022-03-01");
  draft.set_session("forums/w/sessions/s");
  draft.mutable_acceptance()->set_forum_person("chair");
  ASSERT_TRUE(Insert(Requests(), draft).ok());
  draft.clear_needed_by();
  draft.clear_session();
  draft.clear_acceptance();
  schema::SetVersion(&draft, 2);
  ASSERT_TRUE(Update(Requests(), draft, {"needed_by", "session", "acceptance"}).ok());
  EngagementRequest back;
  ASSERT_TRUE(Read(Requests(), &back).ok());
  EXPECT_TRUE(MessageDifferencer::Equals(draft, back)) << back.DebugString();
  EXPECT_THAT(Rows("SELECT needed_by, session_id, acceptance FROM requests", {}, "ttb"),
              ElementsAre("null,null,null"));
}

TEST_P(Records, AnUpdateOfWhatIsGoneIsAnError) {
  MakeTable(Requests());
  Status status = Update(Requests(), Draft(), {"title"});
  EXPECT_EQ(RefusalOf(status), errors::INTERNAL_FAULT) << status;
  EXPECT_THAT(MessageOf(status), HasSubstr("gone"));
}

TEST_P(Records, ASecondOfThatNameIsRefused) {
  MakeTable(Requests());
  ASSERT_TRUE(Insert(Requests(), Draft()).ok());
  EXPECT_EQ(RefusalOf(Insert(Requests(), Draft())), errors::RESOURCE_EXISTS);
}

TEST_P(Records, TheSameIdInAnotherForumIsAnotherRecord) {
  MakeTable(Requests());
  EngagementRequest here = Draft(), there = Draft();
  there.set_title("Elsewhere");
  there.set_partner("forums/x/partners/wcc");
  Name(Requests(), &there, 1, "x");
  ASSERT_TRUE(Insert(Requests(), here).ok());
  ASSERT_TRUE(Insert(Requests(), there, "x").ok());
  EngagementRequest back;
  ASSERT_TRUE(Read(Requests(), &back).ok());
  EXPECT_TRUE(MessageDifferencer::Equals(here, back)) << back.DebugString();
  ASSERT_TRUE(Read(Requests(), &back, "x").ok());
  EXPECT_TRUE(MessageDifferencer::Equals(there, back)) << back.DebugString();
  // Not even an update reaches over.
  schema::SetVersion(&here, 2);
  here.set_title("Here");
  ASSERT_TRUE(Update(Requests(), here, {"title"}).ok());
  ASSERT_TRUE(Read(Requests(), &back, "x").ok());
  EXPECT_EQ(back.title(), "Elsewhere");
}

TEST_P(Records, WhatIsNotThereIsNoError) {
  MakeTable(Requests());
  EngagementRequest back;
  auto found = Read(Requests(), &back);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_FALSE(*found);
  EXPECT_TRUE(MessageDifferencer::Equals(back, EngagementRequest()));
}

TEST_P(Records, ARecordThatIsReadUnderALockWaitsForNobodysHalf) {
  MakeTable(Requests());
  ASSERT_TRUE(Insert(Requests(), Draft()).ok());
  std::vector<Store::Job> jobs(40, [&](Conn& conn) -> Status {
    EngagementRequest record;
    ASSIGN_OR_RETURN(bool found,
                     ReadRecord(conn, &sealer_, Requests(), "", {"w", "one"}, true, &record));
    EXPECT_TRUE(found);
    schema::SetVersion(&record, schema::VersionOf(record) + 1);
    record.set_minutes_wanted(record.minutes_wanted() + 1);
    return UpdateRecord(conn, &sealer_, Requests(), "w", "one", record, {"minutes_wanted"});
  });
  EXPECT_THAT(Together(jobs), Each(absl::OkStatus()));
  EngagementRequest back;
  ASSERT_TRUE(Read(Requests(), &back).ok());
  EXPECT_EQ(back.minutes_wanted(), 40);
  EXPECT_EQ(schema::VersionOf(back), 41);
}

TEST_P(Records, AQueryBringsItsRowsInOrder) {
  MakeTable(Requests());
  for (const char* id : {"b", "a", "C", "d"}) {
    EngagementRequest draft = Draft();
    draft.set_title(id);
    Name(Requests(), &draft, 1, "w", id);
    ASSERT_TRUE(Insert(Requests(), draft, "w", id).ok());
  }
  std::vector<EngagementRequest> found;
  Status status = store().ReadAndWait([&](Conn& conn) {
    found.clear();
    std::vector<Value> values = {"w", "C", 2};
    return QueryRecords(conn, &sealer_, Requests(),
                        "WHERE forum = $1 AND id > $2 ORDER BY id LIMIT $3", values,
                        [&]() -> Message* { return &found.emplace_back(); });
  });
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].name(), "forums/w/requests/a");
  EXPECT_EQ(found[1].title(), "b");
}

TEST_P(Records, WhatChangedIsFoundByTheStoredFields) {
  EngagementRequest before = Draft(), after = before;
  EXPECT_THAT(ChangedPaths(Requests(), before, after), IsEmpty());
  after.set_title("Transport");
  after.set_needed_by("");
  after.mutable_acceptance()->set_forum_person("chair");
  after.set_late(true);  // computed: no column
  schema::SetVersion(&after, 9);
  auto paths = ChangedPaths(Requests(), before, after);
  std::sort(paths.begin(), paths.end());
  EXPECT_THAT(paths, ElementsAre("acceptance", "needed_by", "title"));
}

TEST_P(Records, ASealedRecordShowsNothingInItsRow) {
  const Resource& resource = *schema::FindResource(MemberCharacteristics::descriptor());
  MakeTable(resource);
  auto record = New(resource);
  for (const auto& column : resource.columns) SetColumn(column, record.get());
  Name(resource, record.get());
  ASSERT_TRUE(Insert(resource, *record).ok());
  std::string body;
  Status status = store().ReadAndWait([&](Conn& conn) {
    return conn.Query("SELECT body FROM " + resource.option->table(), {}, [&](const Row& row) {
      body = std::string(row.Blob(0));
      return absl::OkStatus();
    });
  });
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_NE(record->SerializeAsString().find(kText), std::string::npos);
  EXPECT_EQ(body.find(kText), std::string::npos);
  auto back = New(resource);
  ASSERT_TRUE(Read(resource, back.get()).ok());
  EXPECT_TRUE(MessageDifferencer::Equals(*record, *back)) << back->DebugString();
}

TEST_P(Records, ASealedBodyOpensInItsOwnRowOnly) {
  const Resource& resource = *schema::FindResource(MemberCharacteristics::descriptor());
  MakeTable(resource);
  for (const char* id : {"one", "two"}) {
    auto record = New(resource);
    for (const auto& column : resource.columns) SetColumn(column, record.get());
    Name(resource, record.get(), 1, "w", id);
    ASSERT_TRUE(Insert(resource, *record, "w", id).ok());
  }
  const std::string& table = resource.option->table();
  auto back = New(resource);
  EXPECT_TRUE(Read(resource, back.get(), "w", "two").ok());
  ASSERT_TRUE(Exec("UPDATE " + table + " SET body = (SELECT body FROM " + table +
                   " WHERE id = 'one') WHERE id = 'two'")
                  .ok());
  Status moved = Read(resource, back.get(), "w", "two").status();
  EXPECT_EQ(RefusalOf(moved), errors::INTERNAL_FAULT) << moved;
  EXPECT_TRUE(Read(resource, back.get(), "w", "one").ok());
}

// ------------------------------------------------------------------------------ The check of
// tables
class RecordTables : public Records {
 protected:
  Status Check() {
    return store().ReadAndWait([](Conn& conn) { return CheckTable(conn, Requests()); });
  }
};
ON_BOTH(RecordTables);

TEST_P(RecordTables, EveryTableOfTheSchemasOwnColumnsFits) {
  for (const auto* resource : AllResources()) {
    MakeTable(*resource);
    Status status = store().ReadAndWait([&](Conn& conn) { return CheckTable(conn, *resource); });
    EXPECT_TRUE(status.ok()) << status;
  }
}

TEST_P(RecordTables, AMissingTableIsNamed) {
  EXPECT_THAT(MessageOf(Check()), HasSubstr("EngagementRequest has no table 'requests'"));
}

TEST_P(RecordTables, AFieldWithoutAColumnIsNamed) {
  MakeTable(Requests());
  Script("ALTER TABLE requests DROP COLUMN matter");
  EXPECT_THAT(MessageOf(Check()), HasSubstr("column \"matter\" does not exist in 'requests'"));
}

TEST_P(RecordTables, AColumnWithoutAFieldThatMustBeFilledIsNamed) {
  Script(TableOf(Requests(), ", colour {text} NOT NULL"));
  EXPECT_THAT(MessageOf(Check()), HasSubstr("column \"colour\" of 'requests' is no field"));
}

TEST_P(RecordTables, AColumnOfALaterVersionIsNoHindrance) {
  MakeTable(Requests());
  Script(
      "ALTER TABLE requests ADD COLUMN colour {text};"
      "ALTER TABLE requests ADD COLUMN places {int64} NOT NULL DEFAULT 5");
  Status status = Check();
  EXPECT_TRUE(status.ok()) << status;
  // This version's records go in and out beside them, and leave what a later one wrote there.
  EngagementRequest draft = Draft();
  ASSERT_TRUE(Insert(Requests(), draft).ok());
  EXPECT_THAT(Rows("SELECT colour, places FROM requests", {}, "ti"), ElementsAre("null,5"));
  ASSERT_TRUE(Exec("UPDATE requests SET colour = 'blue', places = 7").ok());
  draft.set_title("Transport");
  schema::SetVersion(&draft, 2);
  ASSERT_TRUE(Update(Requests(), draft, {"title"}).ok());
  EXPECT_THAT(Rows("SELECT colour, places FROM requests", {}, "ti"), ElementsAre("blue,7"));
  EngagementRequest back;
  ASSERT_TRUE(Read(Requests(), &back).ok());
  EXPECT_TRUE(MessageDifferencer::Equals(draft, back)) << back.DebugString();
}

TEST_P(RecordTables, EveryRowOfTheTableIsReadAsItsRecord) {
  MakeTable(Requests());
  for (int i = 0; i < 50; ++i) {
    EngagementRequest draft = Draft();
    draft.set_minutes_wanted(i);
    Name(Requests(), &draft, i + 1, "w", std::to_string(i));
    ASSERT_TRUE(Insert(Requests(), draft, "w", std::to_string(i)).ok());
  }
  std::vector<EngagementRequest> found;
  Status status = store().ReadAndWait([&](Conn& conn) {
    found.clear();
    return QueryRecords(conn, &sealer_, Requests(), "ORDER BY minutes_wanted", {},
                        [&]() -> Message* { return &found.emplace_back(); });
  });
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_THAT(found, SizeIs(50));
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(found[i].minutes_wanted(), i);
    EXPECT_EQ(schema::VersionOf(found[i]), i + 1);
  }
}

}  // namespace
}  // namespace hub::db
