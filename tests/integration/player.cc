#include "tests/integration/player.h"

#include <gtest/gtest.h>

#include <cctype>
#include <regex>

#include "google/protobuf/text_format.h"

namespace hub::integration {

namespace options = ::coproduction::options::v1;
using google::protobuf::TextFormat;

std::unique_ptr<Message> New(const google::protobuf::Descriptor* type) {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
}

std::string ShortName(const schema::Method& method) {
  return method.descriptor->service()->name() + "." + method.descriptor->name();
}

Player::Player(const Story& story, db::Engine engine)
    : story_(story), mini_(story.module(), engine) {
  mini_.SetDate(story.date);
  story.others(mini_);
}

void Player::PlayAll() {
  for (const auto& step : story_.steps) Play(step);
}

void Player::Play(const Step& step) {
  if (step.who == "date") return mini_.SetDate(step.message);
  const std::string name = step.message.find('.') == std::string::npos
                               ? "coproduction." + story_.service + ".v1." + step.message
                               : step.message;
  const auto* type =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(name);
  ASSERT_NE(type, nullptr) << name;
  auto message = New(type);
  const std::string text = Resolved(step.text);
  ASSERT_TRUE(TextFormat::ParseFromString(text, message.get())) << name << "\n" << text;
  if (step.who == "event" || step.who == "dead letter") {
    const auto& event = type->options().GetExtension(options::event);
    std::string aggregate;
    for (int i = 0; i < type->field_count(); ++i) {
      if (schema::FieldOption(type->field(i)).reference() == event.aggregate()) {
        aggregate = message->GetReflection()->GetString(*message, type->field(i));
      }
    }
    Status taken;
    if (step.who == "event") {
      taken = mini_.Deliver(aggregate, *message);
    } else {
      const Envelope refused{"refused-1", name, aggregate, 1, 1, "1", 1};
      for (int i = 1; i < 5; ++i) {
        EXPECT_FALSE(mini_.runtime().Apply(refused, message->SerializeAsString()).ok()) << name;
      }
      taken = mini_.runtime().Apply(refused, message->SerializeAsString());
    }
    EXPECT_TRUE(taken.ok()) << name << ": " << taken;
    return;
  }
  const auto* method = schema::MethodOfRequest(type);
  ASSERT_NE(method, nullptr) << name;
  options::Role role;
  ASSERT_TRUE(options::Role_Parse(step.who, &role)) << step.who;
  const std::string token = TokenOf(role);
  if (const auto* id = type->FindFieldByName("request_id")) {
    message->GetReflection()->SetString(message.get(), id, "step-" + std::to_string(++steps_));
  }
  auto response = New(method->descriptor->output_type());
  Status status = mini_.Send(token, *message, response.get());
  ASSERT_TRUE(status.ok()) << "a valid call, " << ShortName(*method) << ": " << status;
  Remember(*response);
  told_[method] = step;
  done_.emplace(method, Done{std::move(message), std::move(response), token});
}

void Player::Remember(const Message& response) {
  auto& last = last_[response.GetDescriptor()->name()];
  last = New(response.GetDescriptor());
  last->CopyFrom(response);
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  response.GetReflection()->ListFields(response, &fields);
  for (const auto* field : fields) {
    if (field->is_repeated() || schema::FindResource(field->message_type()) == nullptr) continue;
    Remember(response.GetReflection()->GetMessage(response, field));
  }
}

std::string Player::ValueOf(const Message& message, const std::string& name) {
  const auto* field = message.GetDescriptor()->FindFieldByName(name);
  return field->message_type() == nullptr
             ? schema::TextOf(message, name)
             : schema::GetName(message.GetReflection()->GetMessage(message, field));
}

std::string Player::Resolved(const std::string& text) {
  static const std::regex kMark(R"(\$([A-Za-z]+)(\.([a-z_]+))?)");
  std::string resolved;
  auto from = text.begin();
  for (std::sregex_iterator mark(text.begin(), text.end(), kMark), end; mark != end; ++mark) {
    resolved.append(from, mark->prefix().second);
    from = mark->suffix().first;
    const auto last = last_.find((*mark)[1]);
    resolved += (*mark)[3].matched
                    ? last == last_.end() ? "" : ValueOf(*last->second, (*mark)[3])
                    : NameOf("coproduction." + story_.service + ".v1." + (*mark)[1].str());
  }
  return resolved.append(from, text.end());
}

std::string Player::NameOf(const std::string& type) {
  const auto* resource = schema::FindResource(type);
  if (resource == nullptr) return "";
  const auto last = last_.find(resource->type->name());
  if (last != last_.end()) return schema::GetName(*last->second);
  std::string id = resource->type->name() == "Partner" ? "wcc" : "ana";
  if (resource->service == story_.service) {
    Status status = mini_.runtime().engine().config().store->ReadAndWait([&](db::Conn& conn) {
      return conn.Query("SELECT id FROM " + resource->option->table() + " ORDER BY id DESC LIMIT 1",
                        {}, [&](const db::Row& row) {
                          id = std::string(row.Text(0));
                          return Status();
                        });
    });
    EXPECT_TRUE(status.ok()) << status;
  }
  return schema::MakeName(*resource, "warwickshire", id);
}

std::string Player::TokenOf(options::Role role) {
  if (role == options::SERVICE) {
    return mini_.ServiceToken(story_.service == "scheduling" ? "engagement" : "scheduling");
  }
  std::string person = options::Role_Name(role);
  for (char& c : person) c = static_cast<char>(std::tolower(c));
  if (role == options::REP || role == options::MEMBER) {
    const auto member = last_.find("Member");
    person = member == last_.end() ? "ana" : IdOf(schema::GetName(*member->second));
  }
  return mini_.Token(role, person);
}

}  // namespace hub::integration
