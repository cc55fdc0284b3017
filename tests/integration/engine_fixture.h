// A service for tests of what the engine promises of every one, on both databases.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/testing/mini_service.h"
#include "coproduction/membership/v1/members.pb.h"
#include "services/membership/module.h"

namespace hub {

class OneService : public ::testing::TestWithParam<db::Engine> {
 protected:
  explicit OneService(Module module) : mini_(std::move(module), GetParam()) {
    mini_.SetDate("2021-07-31");
  }
  journal::Engine& engine() { return mini_.runtime().engine(); }
  // The texts of a query of one column.
  std::vector<std::string> Texts(const std::string& sql) {
    std::vector<std::string> texts;
    Status status = engine().config().store->ReadAndWait([&](db::Conn& conn) {
      texts.clear();
      return conn.Query(sql, {}, [&](const db::Row& row) {
        texts.emplace_back(row.Text(0));
        return Status();
      });
    });
    EXPECT_TRUE(status.ok()) << status;
    return texts;
  }
  int64_t Number(const std::string& sql) {
    int64_t number = 0;
    Status status = engine().config().store->ReadAndWait([&](db::Conn& conn) {
      return conn.Query(sql, {}, [&](const db::Row& row) {
        number = row.Int(0);
        return Status();
      });
    });
    EXPECT_TRUE(status.ok()) << status;
    return number;
  }
  void Change(const std::string& sql, const std::vector<db::Value>& values) {
    Status status = engine().config().store->WriteAndWait(
        [&](db::Conn& conn) { return conn.Exec(sql, values).status(); });
    ASSERT_TRUE(status.ok()) << status;
  }

  testing::MiniService mini_;
};

// Membership, and members to be created.
class EngineTest : public OneService {
 protected:
  using Member = ::coproduction::membership::v1::Member;
  using CreateMemberRequest = ::coproduction::membership::v1::CreateMemberRequest;

  EngineTest() : OneService(membership::MakeMembershipModule()) {
    admin_ = mini_.Token(coproduction::options::v1::MEMBERSHIP_ADMIN);
  }
  static CreateMemberRequest Request(const std::string& request_id = "") {
    CreateMemberRequest request;
    request.set_parent(testing::kForum);
    request.set_request_id(request_id);
    request.mutable_member()->set_given_name("Jo");
    request.mutable_member()->set_family_name("Example");
    request.mutable_member()->set_email("jo@example.org");
    request.mutable_member()->set_residence(Member::LIVES_HERE);
    request.mutable_member()->set_reach_by(Member::EMAIL);
    request.mutable_member()->set_joined_on("2021-05-04");
    return request;
  }
  StatusOr<Member> Create(const std::string& request_id = "") {
    return mini_.Call<Member>(admin_, Request(request_id));
  }
  StatusOr<Member> Get(const std::string& token, const std::string& name) {
    ::coproduction::membership::v1::GetMemberRequest request;
    request.set_name(name);
    return mini_.Call<Member>(token, request);
  }

  std::string admin_;
};

}  // namespace hub
