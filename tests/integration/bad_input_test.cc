// Bad input over every method, as a table made from the schema: each cell breaks one thing of a
// valid call in every place where it can be broken, and asks for the precise gRPC code, reason and
// field, and for a database in which nothing at all has changed. Every cell is printed; one that is
// absent has its reason in bad_input_absent.txt.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/text_format.h"
#include "tests/integration/player.h"

namespace hub::integration {
namespace {

namespace options = ::coproduction::options::v1;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::TextFormat;
using options::Field;

constexpr char kForum[] = "forums/warwickshire";
constexpr char kElsewhere[] = "forums/elsewhere";

std::unique_ptr<Message> Copy(const Message& message) {
  std::unique_ptr<Message> copy(message.New());
  copy->CopyFrom(message);
  return copy;
}
bool IsText(const FieldDescriptor* field) {
  return field->type() == FieldDescriptor::TYPE_STRING && !field->is_map();
}
bool IsNumber(const FieldDescriptor* field) {
  return field->cpp_type() == FieldDescriptor::CPPTYPE_INT32 ||
         field->cpp_type() == FieldDescriptor::CPPTYPE_INT64;
}

// A field that a caller can set, however deep in the request.
struct Place {
  std::vector<const FieldDescriptor*> way;
  std::string path;
  const FieldDescriptor* field() const { return way.back(); }
  // Of a record within the request: what is required there is judged on the record as a whole.
  bool in_record() const { return schema::FindResource(way.back()->containing_type()) != nullptr; }
};

void AddPlaces(const Descriptor* type, const Place& above, std::vector<Place>* places) {
  for (int i = 0; i < type->field_count(); ++i) {
    Place place = above;
    place.way.push_back(type->field(i));
    place.path += (place.path.empty() ? "" : ".") + type->field(i)->name();
    const Field& option = schema::FieldOption(type->field(i));
    if (option.output_only() || option.computed()) continue;
    places->push_back(place);
    if (schema::IsClassifiedMessage(type->field(i))) {
      AddPlaces(type->field(i)->message_type(), place, places);
    }
  }
}
std::vector<Place> PlacesOf(const Message& request) {
  std::vector<Place> places;
  AddPlaces(request.GetDescriptor(), {}, &places);
  return places;
}

void SetText(Message* holder, const FieldDescriptor* field, const std::string& text) {
  const Reflection* reflection = holder->GetReflection();
  if (!field->is_repeated()) return reflection->SetString(holder, field, text);
  reflection->ClearField(holder, field);
  reflection->AddString(holder, field, text);
}
void SetNumber(Message* holder, const FieldDescriptor* field, int64_t value) {
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_INT64) {
    holder->GetReflection()->SetInt64(holder, field, value);
  } else {
    holder->GetReflection()->SetInt32(holder, field, static_cast<int32_t>(value));
  }
}
void SetEnum(Message* holder, const FieldDescriptor* field, int value) {
  const Reflection* reflection = holder->GetReflection();
  if (!field->is_repeated()) return reflection->SetEnumValue(holder, field, value);
  reflection->ClearField(holder, field);
  reflection->AddEnumValue(holder, field, value);
}

std::string ValidText(Field::Format format) {
  switch (format) {
    case Field::EMAIL:
      return "jo@example.org";
    case Field::PHONE:
      return "07700 900001";
    case Field::POSTCODE_DISTRICT:
      return "CV34";
    case Field::DATE:
      return "2022-05-03";
    case Field::TIME_OF_DAY:
      return "11:00";
    case Field::UUID:
      return "0190a5f2-7b1c-7e4e-8a43-0242ac120002";
    case Field::URL:
      return "https://example.org";
    default:
      return "word";
  }
}

// Another value of its form; false where the field has none that is easily found.
bool Changed(Message* holder, const FieldDescriptor* field) {
  const Field& option = schema::FieldOption(field);
  if (!IsText(field) || field->is_repeated() || field->name() == "name") return false;
  const std::string text = holder->GetReflection()->GetString(*holder, field);
  if (option.reference().empty()) {
    SetText(holder, field, option.format() == 0 ? "\"7\"" : ValidText(option.format()));
  } else if (!text.empty()) {
    SetText(holder, field, text + "x");
  }
  return holder->GetReflection()->GetString(*holder, field) != text;
}

// A valid call of a method, from which its cells are broken.
struct Base {
  const schema::Method* method;
  std::unique_ptr<Message> request;
  options::Role role;
  std::string token;
};
class Table : private Player {
 public:
  explicit Table(const Story& story) : Player(story) {
    PlayAll();
    before_ = Digest();
  }

  // Why a cell is absent, or nothing: then it was tried in every place.
  using Cell = std::string (Table::*)(const Base&);
  static const std::vector<std::pair<std::string, Cell>>& Cells();

  std::vector<Base> Bases();
  int calls() const { return calls_; }

 private:
  // --- The database: all rows of all tables but of the log of refusals, in one text.
  std::string Digest() {
    std::string all;
    Status status = mini_.runtime().engine().config().store->ReadAndWait([&](db::Conn& conn) {
      if (digest_sql_.empty()) {
        RETURN_IF_ERROR(conn.Query(
            "SELECT 'SELECT ''' || m.name || ': '' || ' || (SELECT group_concat('quote(' || "
            "c.name || ')', ' || '','' || ') FROM pragma_table_info(m.name) c) || ' FROM ' || "
            "m.name FROM sqlite_master m WHERE m.type = 'table' AND m.name <> 'access_log' "
            "ORDER BY m.name",
            {}, [&](const db::Row& row) {
              digest_sql_ += (digest_sql_.empty() ? "" : " UNION ALL ") + std::string(row.Text(0));
              return Status();
            }));
      }
      return conn.Query(digest_sql_, {}, [&](const db::Row& row) {
        all += std::string(row.Text(0)) + "\n";
        return Status();
      });
    });
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_FALSE(all.empty());
    return all;
  }

  static std::string ButCrossings(const std::string& digest) {
    std::vector<std::string> lines = absl::StrSplit(digest, '\n');
    std::erase_if(lines, [](const std::string& line) { return line.starts_with("crossings: "); });
    return absl::StrJoin(lines, "\n");
  }

  // --- A call that must be refused for `reason` about one of `about` (any where empty), leaving
  // the database as it is.
  void Refused(const Base& base, const Message& request, const std::string& token,
               errors::ErrorReason reason, const std::vector<std::string>& about,
               const std::string& what) {
    ++calls_;
    auto response = New(base.method->descriptor->output_type());
    const Status status = mini_.Send(token, request, response.get());
    const auto* value = errors::ErrorReason_descriptor()->FindValueByNumber(reason);
    const auto info = status.ok() ? errors::ErrorInfo() : ErrorInfoOf(status);
    bool named = about.empty();
    for (const auto& wanted : about) {
      for (const auto& [key, text] : info.metadata()) named |= text == wanted;
    }
    const bool fits =
        info.reason() == value->name() && info.domain() == "coproduction-hub" &&
        static_cast<int>(status.code()) == value->options().GetExtension(errors::code);
    if (!fits || !named) {
      std::string got;
      for (const auto& [key, text] : info.metadata()) got += " " + key + "=" + text;
      ADD_FAILURE() << ShortName(*base.method) << ": " << what << "\n  wanted " << value->name()
                    << (about.empty() ? "" : " about " + about[0]) << "\n  got    "
                    << (status.ok() ? "OK" : info.reason()) << got << ": " << MessageOf(status);
    }
    const std::string after = Digest();
    EXPECT_EQ(before_, after) << ShortName(*base.method) << ": " << what << " left something";
    before_ = after;
  }
  void RefusedFor(const Base& base, const Message& request, errors::ErrorReason reason,
                  const std::string& about, const std::string& what) {
    Refused(base, request, base.token, reason, {about}, what);
  }

  // --- Into a place of a request; what is new on the way is filled validly.
  Message* HolderOf(Message* request, const Place& place) {
    Message* holder = request;
    for (size_t i = 0; i + 1 < place.way.size(); ++i) {
      const Reflection* reflection = holder->GetReflection();
      const FieldDescriptor* field = place.way[i];
      if (field->is_repeated()) {
        const bool there = reflection->FieldSize(*holder, field) > 0;
        holder = there ? reflection->MutableRepeatedMessage(holder, field, 0)
                       : reflection->AddMessage(holder, field);
        if (!there) FillRequired(holder);
      } else {
        const bool there = reflection->HasField(*holder, field);
        holder = reflection->MutableMessage(holder, field);
        if (!there) FillRequired(holder);
      }
    }
    return holder;
  }
  void FillRequired(Message* message) {
    for (int i = 0; i < message->GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor* field = message->GetDescriptor()->field(i);
      const Field& option = schema::FieldOption(field);
      if (!option.required() || option.output_only()) continue;
      if (IsText(field)) {
        SetText(
            message, field,
            option.reference().empty() ? ValidText(option.format()) : NameOf(option.reference()));
      } else if (field->enum_type() != nullptr) {
        SetEnum(message, field, field->enum_type()->value(1)->number());
      } else if (IsNumber(field) && !field->is_repeated()) {
        SetNumber(message, field, std::max<int64_t>(1, option.min()));
      }
    }
  }
  // Where the request says what it is about: its name, its parent, or the name of its record.
  const Place* NamePlace(const Base& base, const std::vector<Place>& places) {
    for (const char* key : {"name", "parent"}) {
      for (const auto& place : places) {
        if (place.path == key) return &place;
      }
    }
    for (const auto& place : places) {
      if (place.way.size() != 2 || place.field()->name() != "name" || !place.in_record()) continue;
      auto request = Copy(*base.request);
      if (!schema::TextOf(*HolderOf(request.get(), place), "name").empty()) return &place;
    }
    return nullptr;
  }
  std::unique_ptr<Message> With(const Base& base, const Place& place, const std::string& text) {
    auto request = Copy(*base.request);
    SetText(HolderOf(request.get(), place), place.field(), text);
    return request;
  }

  // --- The cells.
  std::string NoToken(const Base& base) {
    for (const char* token : {"", "nonsense", "e30.e30.e30"}) {
      Refused(base, *base.request, token, errors::UNAUTHENTICATED, {},
              "the token '" + std::string(token) + "'");
    }
    return "";
  }

  // A token of the other side, where one may not call; else of a role that may not.
  std::string OtherSide(const Base& base) {
    std::set<int> may;
    for (const auto& policy : base.method->option->policy()) {
      may.insert(policy.roles().begin(), policy.roles().end());
    }
    const bool forums = base.role < options::FACILITATOR;
    std::vector<options::Role> candidates = {options::FACILITATOR, options::CASE_SYSTEM,
                                             options::OBSERVER, options::FUNDER};
    const std::vector<options::Role> of_forum = {options::CHAIR, options::MEMBERSHIP_PLATFORM,
                                                 options::SAFEGUARDING_LEAD};
    candidates.insert(forums ? candidates.end() : candidates.begin(), of_forum.begin(),
                      of_forum.end());
    for (options::Role role : candidates) {
      if (may.count(role) > 0) continue;
      Refused(base, *base.request, TokenOf(role), errors::ROLE_NOT_ALLOWED, {},
              "the token of " + options::Role_Name(role));
      return "";
    }
    return "every_role_may";
  }

  std::string Stranger(const Base& base) {
    Refused(base, *base.request, mini_.StrangerToken(), errors::ROLE_NOT_ALLOWED, {},
            "another forum's chair");
    return "";
  }

  std::string OtherForum(const Base& base) {
    const auto places = PlacesOf(*base.request);
    const Place* place = NamePlace(base, places);
    if (place == nullptr) return "request_names_nothing";
    if (base.role >= options::OPERATOR) return "acts_in_every_forum";
    std::string name =
        schema::TextOf(*HolderOf(base.request.get(), *place), place->field()->name());
    name.replace(0, std::string(kForum).size(), kElsewhere);
    Refused(base, *With(base, *place, name), base.token, errors::ROLE_NOT_ALLOWED, {}, name);
    return "";
  }

  std::string MalformedName(const Base& base) {
    const auto places = PlacesOf(*base.request);
    const Place* place = NamePlace(base, places);
    if (place == nullptr) return "request_names_nothing";
    const std::string name =
        schema::TextOf(*HolderOf(base.request.get(), *place), place->field()->name());
    const std::string another = name.find("/partners/") == std::string::npos
                                    ? std::string(kForum) + "/partners/wcc"
                                    : std::string(kForum) + "/grants/g1";
    const std::vector<std::string> wrongs = {
        "nonsense",
        "forums",
        name + "/more",
        "/" + name,
        "forums/War wickshire",
        name.substr(0, name.rfind('/') + 1) + std::string(90, 'x'),
        std::string(kForum) + "/nosuch/x1",
        another};
    for (const auto& wrong : wrongs) {
      RefusedFor(base, *With(base, *place, wrong), errors::INVALID_FIELD, place->path,
                 place->path + " is '" + wrong + "'");
    }
    return "";
  }

  std::string MissingRecord(const Base& base) {
    const auto places = PlacesOf(*base.request);
    const Place* place = NamePlace(base, places);
    if (place == nullptr) return "request_names_nothing";
    if (place->field()->name() == "parent") return "request_names_a_forum";
    const std::string name =
        schema::TextOf(*HolderOf(base.request.get(), *place), place->field()->name());
    const auto* resource = schema::ResourceOfName(name);
    if (resource->singleton) return "always_there";
    const std::string missing = name.substr(0, name.rfind('/') + 1) + "no-such-1";
    RefusedFor(base, *With(base, *place, missing), errors::RESOURCE_NOT_FOUND, missing, missing);
    return "";
  }

  // A name of another forum in any other field.
  std::string ForeignReference(const Base& base) {
    int tried = 0;
    for (const auto& place : PlacesOf(*base.request)) {
      const std::string& type = schema::FieldOption(place.field()).reference();
      if (type.empty() || !IsText(place.field())) continue;
      const std::string name = schema::MakeName(*schema::FindResource(type), "elsewhere", "x1");
      RefusedFor(base, *With(base, place, name), errors::INVALID_FIELD, place.path,
                 place.path + " is '" + name + "'");
      ++tried;
    }
    return tried == 0 ? "refers_to_nothing" : "";
  }

  std::string MissingRequired(const Base& base) {
    int tried = 0;
    const auto places = PlacesOf(*base.request);
    if (const Place* place = NamePlace(base, places)) {
      // A record without its name is one that names nothing.
      RefusedFor(base, *With(base, *place, ""),
                 place->way.size() > 1 ? errors::INVALID_FIELD : errors::FIELD_REQUIRED,
                 place->path, "no " + place->path);
      ++tried;
    }
    const bool update = base.request->GetDescriptor()->FindFieldByName("update_mask") != nullptr;
    for (const auto& place : places) {
      const Field& option = schema::FieldOption(place.field());
      if (!option.required() || (update && option.immutable())) continue;
      auto request = Copy(*base.request);
      Message* holder = HolderOf(request.get(), place);
      holder->GetReflection()->ClearField(holder, place.field());
      if (update) {
        const auto* mask = request->GetDescriptor()->FindFieldByName("update_mask");
        google::protobuf::FieldMask only;
        only.add_paths(place.field()->name());
        request->GetReflection()->MutableMessage(request.get(), mask)->CopyFrom(only);
      }
      // A number that must be there is below its least when it is not.
      const bool number = IsNumber(place.field()) && option.min() > 0;
      RefusedFor(base, *request, number ? errors::INVALID_FIELD : errors::FIELD_REQUIRED,
                 place.path, "no " + place.path);
      ++tried;
    }
    return tried == 0 ? "requires_nothing" : "";
  }

  std::string TooLong(const Base& base) {
    int tried = 0;
    for (const auto& place : PlacesOf(*base.request)) {
      const FieldDescriptor* field = place.field();
      const Field& option = schema::FieldOption(field);
      auto request = Copy(*base.request);
      Message* holder = HolderOf(request.get(), place);
      const Reflection* reflection = holder->GetReflection();
      if (IsText(field) && field->name() != "name" && field->name() != "parent") {
        const size_t most = field->name() == "page_token" ? 2000
                            : option.max_len() > 0        ? option.max_len()
                                                          : 200;
        RefusedFor(base, *With(base, place, std::string(most + 1, 'x')), errors::INVALID_FIELD,
                   place.path, place.path + " of " + std::to_string(most + 1) + " bytes");
        ++tried;
      }
      if (!field->is_repeated() || field->is_map()) continue;
      reflection->ClearField(holder, field);
      const uint32_t entries = option.max_len() > 0 && !IsText(field) ? option.max_len() : 100;
      for (uint32_t i = 0; i <= entries; ++i) {
        if (field->message_type() != nullptr) {
          FillRequired(reflection->AddMessage(holder, field));
        } else if (field->enum_type() != nullptr) {
          reflection->AddEnumValue(holder, field, 1);
        } else if (IsText(field)) {
          reflection->AddString(holder, field, NameOf(option.reference()));
        }
      }
      RefusedFor(base, *request, errors::INVALID_FIELD, place.path,
                 std::to_string(entries + 1) + " entries in " + place.path);
      ++tried;
    }
    return tried == 0 ? "holds_no_text" : "";
  }

  std::string BadValue(const Base& base) {
    int tried = 0;
    for (const auto& place : PlacesOf(*base.request)) {
      const FieldDescriptor* field = place.field();
      const Field& option = schema::FieldOption(field);
      std::vector<std::pair<std::string, std::function<void(Message*)>>> faults;
      if (IsText(field) && field->name() != "name" && field->name() != "parent") {
        faults.emplace_back("with a control character",
                            [&](Message* holder) { SetText(holder, field, "a\x01z"); });
        if (option.format() != Field::FORMAT_UNSPECIFIED || !option.reference().empty()) {
          faults.emplace_back("not of its form",
                              [&](Message* holder) { SetText(holder, field, "?!"); });
        }
      } else if (field->enum_type() != nullptr) {
        faults.emplace_back("no value of its enum",
                            [&](Message* holder) { SetEnum(holder, field, 9999); });
      } else if (IsNumber(field) && !field->is_repeated() && option.max() > 0) {
        faults.emplace_back("above its most",
                            [&](Message* holder) { SetNumber(holder, field, option.max() + 1); });
        faults.emplace_back("below its least",
                            [&](Message* holder) { SetNumber(holder, field, option.min() - 1); });
      }
      for (const auto& [what, spoil] : faults) {
        auto request = Copy(*base.request);
        spoil(HolderOf(request.get(), place));
        RefusedFor(base, *request, errors::INVALID_FIELD, place.path, place.path + " " + what);
        ++tried;
      }
    }
    return tried == 0 ? "holds_no_value" : "";
  }

  std::string BadPage(const Base& base) {
    const auto* size = base.request->GetDescriptor()->FindFieldByName("page_size");
    if (size == nullptr) return "is_no_list";
    auto request = Copy(*base.request);
    SetNumber(request.get(), size, -1);
    RefusedFor(base, *request, errors::INVALID_FIELD, "page_size", "page_size -1");
    for (const char* key : {"page_token", "filter"}) {
      const auto* field = base.request->GetDescriptor()->FindFieldByName(key);
      if (field == nullptr) continue;
      for (const char* wrong : {"nonsense", "nosuch = \"x\"", "e30"}) {
        request = Copy(*base.request);
        SetText(request.get(), field, wrong);
        RefusedFor(
            base, *request,
            std::string(key) == "filter" ? errors::FILTER_INVALID : errors::PAGE_TOKEN_INVALID, key,
            std::string(key) + " '" + wrong + "'");
      }
    }
    return "";
  }

  std::string BadMask(const Base& base) {
    const auto* mask = base.request->GetDescriptor()->FindFieldByName("update_mask");
    if (mask == nullptr) return "has_no_mask";
    auto with = [&](const std::vector<std::string>& paths) {
      google::protobuf::FieldMask only;
      for (const auto& path : paths) only.add_paths(path);
      auto request = Copy(*base.request);
      request->GetReflection()->MutableMessage(request.get(), mask)->CopyFrom(only);
      return request;
    };
    RefusedFor(base, *with({}), errors::FIELD_REQUIRED, "update_mask", "an empty mask");
    for (const char* path : {"nosuch", "name", "etag", "*", ""}) {
      RefusedFor(base, *with({path}), errors::INVALID_FIELD, "update_mask",
                 "a mask of '" + std::string(path) + "'");
    }
    const auto* record = base.method->descriptor->output_type();
    for (int i = 0; i < record->field_count(); ++i) {
      const Field& option = schema::FieldOption(record->field(i));
      if (!option.computed() && (option.output_only() || option.immutable())) {
        // Where the caller may not even read it, that comes first.
        const bool mine = base.role >= options::FACILITATOR
                              ? option.controller() != Field::OF_FORUM
                              : option.controller() != Field::OF_PARTNER;
        RefusedFor(base, *with({record->field(i)->name()}),
                   mine ? errors::FIELD_READ_ONLY : errors::FIELD_NOT_YOURS,
                   record->field(i)->name(), "a mask of " + record->field(i)->name());
      }
    }
    return "";
  }

  std::string StaleEtag(const Base& base) {
    const bool update = base.request->GetDescriptor()->FindFieldByName("update_mask") != nullptr;
    for (const auto& place : PlacesOf(*base.request)) {
      if (place.field()->name() != "etag" || (place.way.size() > 1 && !update)) continue;
      for (const char* etag : {"\"999\"", "1", "nonsense"}) {
        RefusedFor(base, *With(base, place, etag), errors::ETAG_MISMATCH, "etag",
                   "the etag " + std::string(etag));
      }
      return "";
    }
    return "has_no_etag";
  }

  // A resend gets the same answer, byte by byte; another body under the same id is refused.
  std::string ReusedId(const Base& base) {
    const auto* id = base.request->GetDescriptor()->FindFieldByName("request_id");
    if (id == nullptr) return "has_no_request_id";
    if (base.method->option->anonymous()) return "keeps_no_answer";
    const auto done = done_.find(base.method);
    if (done == done_.end()) return "no_valid_call";
    auto again = New(base.method->descriptor->output_type());
    Status status = mini_.Send(done->second.token, *done->second.request, again.get());
    EXPECT_TRUE(status.ok()) << ShortName(*base.method) << ", resent: " << status;
    EXPECT_EQ(again->SerializeAsString(), done->second.response->SerializeAsString())
        << ShortName(*base.method);
    // What a partner is given again, the register of crossings says again.
    const std::string after = Digest();
    EXPECT_EQ(ButCrossings(before_), ButCrossings(after))
        << ShortName(*base.method) << ": a resend left something";
    before_ = after;

    auto request = Copy(*done->second.request);
    for (const auto& place : PlacesOf(*request)) {
      if (place.field() == id || place.path == "name" || place.path == "parent") continue;
      if (Changed(HolderOf(request.get(), place), place.field())) break;
    }
    EXPECT_NE(request->SerializeAsString(), done->second.request->SerializeAsString())
        << ShortName(*base.method) << ": nothing in the body to change";
    Refused(base, *request, done->second.token, errors::REQUEST_ID_REUSED, {"request_id"},
            "the same request_id with another body");
    return "";
  }

  std::string digest_sql_, before_;
  int calls_ = 0;
};

const std::vector<std::pair<std::string, Table::Cell>>& Table::Cells() {
  static const std::vector<std::pair<std::string, Cell>> cells = {
      {"no_token", &Table::NoToken},
      {"other_side", &Table::OtherSide},
      {"stranger", &Table::Stranger},
      {"other_forum", &Table::OtherForum},
      {"malformed_name", &Table::MalformedName},
      {"missing_record", &Table::MissingRecord},
      {"foreign_reference", &Table::ForeignReference},
      {"missing_required", &Table::MissingRequired},
      {"too_long", &Table::TooLong},
      {"bad_value", &Table::BadValue},
      {"bad_page", &Table::BadPage},
      {"bad_mask", &Table::BadMask},
      {"stale_etag", &Table::StaleEtag},
      {"reused_id", &Table::ReusedId}};
  return cells;
}

std::vector<Base> Table::Bases() {
  std::vector<Base> bases;
  for (const auto* method : schema::Methods()) {
    // What the process itself answers, and the directory, are with the service that stands first.
    const bool here = method->service == story_.service ||
                      (method->service == "hub" && story_.service == Stories()[0].service);
    if (!here) continue;
    Base base{method, nullptr, options::ROLE_UNSPECIFIED, ""};
    const auto told = told_.find(method);
    base.request = New(method->descriptor->input_type());
    if (told != told_.end()) {
      // About the records that the story ends with.
      options::Role_Parse(told->second.who, &base.role);
      TextFormat::ParseFromString(Resolved(told->second.text), base.request.get());
    } else {
      base.role = static_cast<options::Role>(method->option->policy(0).roles(0));
      FillRequired(base.request.get());
      if (const auto* name = base.request->GetDescriptor()->FindFieldByName("name")) {
        const std::string known = NameOf(method->descriptor->output_type()->full_name());
        EXPECT_NE(known, "") << ShortName(*method) << " needs a step in its service's story";
        SetText(base.request.get(), name, known);
      }
      if (const auto* parent = base.request->GetDescriptor()->FindFieldByName("parent")) {
        SetText(base.request.get(), parent, kForum);
      }
    }
    base.token = TokenOf(base.role);
    bases.push_back(std::move(base));
  }
  return bases;
}

// 'cell cause: the reason in words', a line each.
std::map<std::string, std::string> ReadReasons() {
  std::ifstream file(HUB_ABSENT);
  std::map<std::string, std::string> reasons;
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.empty() || line[0] == '#' || colon == std::string::npos) continue;
    reasons[line.substr(0, colon)] = line.substr(colon + 2);
  }
  return reasons;
}

TEST(BadInput, EveryMethodRefusesItPreciselyAndKeepsNothingOfIt) {
  const auto reasons = ReadReasons();
  std::set<std::string> used;
  int tried = 0, absent = 0, calls = 0;
  for (const auto& story : Stories()) {
    Table table(story);
    for (const auto& base : table.Bases()) {
      std::printf("%s\n", base.method->descriptor->full_name().c_str());
      for (const auto& [name, cell] : Table::Cells()) {
        const int before = table.calls();
        const std::string cause = (table.*cell)(base);
        if (cause.empty()) {
          ++tried;
          std::printf("  %-18s %3d calls refused\n", name.c_str(), table.calls() - before);
          continue;
        }
        ++absent;
        std::printf("  %-18s absent: %s\n", name.c_str(), cause.c_str());
        used.insert(name + " " + cause);
        EXPECT_EQ(reasons.count(name + " " + cause), 1u)
            << ShortName(*base.method) << " has no cell " << name << " (" << cause
            << "), and bad_input_absent.txt does not say why";
      }
    }
    calls += table.calls();
  }
  for (const auto& [entry, reason] : reasons) {
    EXPECT_EQ(used.count(entry), 1u) << "no cell is absent as '" << entry << "'; strike the line";
  }
  std::printf("bad input: %d cells tried by %d calls, %d absent for %zu reasons\n", tried, calls,
              absent, used.size());
}

}  // namespace
}  // namespace hub::integration
