// Plays a story (stories.h) on its service through the real door, and keeps every valid call.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "tests/integration/stories.h"

namespace hub::integration {

std::unique_ptr<Message> New(const google::protobuf::Descriptor* type);
std::string ShortName(const schema::Method& method);  // 'Members.GetMember'

class Player {
 public:
  // Begins it: the date, and what the other services say.
  explicit Player(const Story& story, db::Engine engine = db::Engine::kSqlite);
  void PlayAll();

  struct Done {
    std::unique_ptr<Message> request, response;
    std::string token;
  };
  // The first call of each method.
  const std::map<const schema::Method*, Done>& done() const { return done_; }
  testing::MiniService& mini() { return mini_; }

 protected:
  void Play(const Step& step);
  std::string Resolved(const std::string& text);
  // As the last of its type, and so the records in it.
  void Remember(const Message& response);
  static std::string ValueOf(const Message& message, const std::string& name);
  // The record of that type that the story speaks of.
  std::string NameOf(const std::string& type);
  std::string TokenOf(coproduction::options::v1::Role role);

  const Story& story_;
  testing::MiniService mini_;
  std::map<std::string, std::unique_ptr<Message>> last_;  // by the type's bare name
  std::map<const schema::Method*, Step> told_;            // the last of each method
  std::map<const schema::Method*, Done> done_;
  int steps_ = 0;
};

}  // namespace hub::integration
