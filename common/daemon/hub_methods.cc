#include "common/daemon/hub_methods.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/file.h"
#include "common/base/id.h"
#include "common/base/words.h"
#include "common/privacy/seal.h"
#include "coproduction/hub/v1/people.pb.h"

namespace hub {
namespace {

namespace options = ::coproduction::options::v1;
namespace v1 = ::coproduction::hub::v1;

constexpr int kPage = 100;
constexpr int kMostPage = 1000;

StatusOr<std::string> ReceiverOf(Ask& ask, const std::string& wanted) {
  std::string own;
  switch (ask.principal().side) {
    case options::FORUM:
      own = "forums/" + ask.forum();
      break;
    case options::PARTNER:
      own = "forums/" + ask.forum() + "/partners/" + ask.principal().partner(ask.forum());
      break;
    default:
      own = wanted.empty() ? "services" : wanted;
  }
  if (wanted.empty() || wanted == own) return own;
  return Refuse(errors::RESOURCE_NOT_FOUND,
                "there are no events of '" + wanted + "' for you; yours are those of '" + own + "'",
                wanted);
}

// A page of a list over the services of this process. Its token says the last entry of the page
// before, sealed for the caller and for what was asked.
struct Page {
  int limit = 0;
  std::string after;  // empty: from the beginning
  std::string key, bound;

  template <class In>
  static StatusOr<Page> Of(Process& process, Ask& ask, const In& in, const std::string& asked) {
    Page page;
    auto* keys = process.runtimes[0]->engine().config().keys;
    ASSIGN_OR_RETURN(page.key, keys->NamedKey("hub", "page"));
    page.bound = ask.principal().key() + "\n" + asked;
    if (!in.page_token().empty()) {
      std::string bytes;
      auto opened = FromBase64Url(in.page_token(), &bytes)
                        ? privacy::Open(page.key, bytes, page.bound)
                        : StatusOr<std::string>(Internal(""));
      if (!opened.ok()) {
        return Refuse(errors::PAGE_TOKEN_INVALID,
                      "page_token is not one that this list gave you; start again without it",
                      "page_token");
      }
      page.after = *opened;
    }
    if (in.page_size() < 0) return InvalidField("page_size", "page_size is below 0");
    page.limit = in.page_size() == 0 ? kPage : std::min(in.page_size(), kMostPage);
    return page;
  }
  std::string TokenAfter(const std::string& last) const {
    return Base64Url(privacy::Seal(key, last, bound));
  }
};

StatusOr<v1::ListEventsResponse> ListEvents(Process& process, Ask& ask,
                                            const v1::ListEventsRequest& in) {
  ASSIGN_OR_RETURN(std::string receiver, ReceiverOf(ask, in.receiver()));
  ASSIGN_OR_RETURN(const Page page, Page::Of(process, ask, in, receiver + "\n" + in.aggregate()));
  int64_t after = std::strtoll(page.after.c_str(), nullptr, 10);
  std::vector<std::pair<int64_t, v1::Event>> all;
  for (auto& runtime : process.runtimes) {
    std::vector<std::pair<int64_t, v1::Event>> some;
    RETURN_IF_ERROR(runtime->ListEvents(receiver, in.aggregate(), in.after_sequence(), after,
                                        page.limit, &some));
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  v1::ListEventsResponse out;
  for (auto& [id, event] : all) {
    if (out.events_size() == page.limit) break;
    after = id;
    if (ask.principal().side != options::HUB) event.clear_data();
    *out.add_events() = std::move(event);
  }
  // A full page may have another after it; a tail comes back with the same token for what is new.
  if (out.events_size() == page.limit) {
    out.set_next_page_token(page.TokenAfter(std::to_string(after)));
  }
  return out;
}

StatusOr<v1::ListCrossingsResponse> ListCrossings(Process& process, Ask& ask,
                                                  const v1::ListCrossingsRequest& in) {
  v1::ListCrossingsRequest asked = in;
  asked.clear_page_size();
  asked.clear_page_token();
  ASSIGN_OR_RETURN(const Page page, Page::Of(process, ask, in, asked.SerializeAsString()));
  int64_t after = std::strtoll(page.after.c_str(), nullptr, 10);
  std::vector<std::pair<int64_t, v1::Crossing>> all;
  for (auto& runtime : process.runtimes) {
    std::vector<std::pair<int64_t, v1::Crossing>> some;
    RETURN_IF_ERROR(runtime->ListCrossings(in, after, page.limit, &some));
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  v1::ListCrossingsResponse out;
  for (auto& [id, crossing] : all) {
    if (out.crossings_size() == page.limit) break;
    after = id;
    *out.add_crossings() = std::move(crossing);
  }
  if (out.crossings_size() == page.limit) {
    out.set_next_page_token(page.TokenAfter(std::to_string(after)));
  }
  return out;
}

// Who a principal is to whom its acts are told: by roles and organisation, no colleague's name.
struct Capacity {
  std::string words;
  bool reads_only_own = false;  // in lists: a member, a rep
};

StatusOr<Capacity> CapacityOf(auth::Authenticator& authenticator, const std::string& key,
                              const std::string& forum, const std::string& person) {
  const size_t at = key.find('|');
  if (key.substr(0, at) == "hub") return Capacity{"the hub itself"};
  ASSIGN_OR_RETURN(const auto grants,
                   authenticator.GrantsOf(key.substr(0, at), key.substr(at + 1)));
  std::set<std::string> roles;
  bool reads_only_own = true;
  for (const auto& grant : grants) {
    if (grant.forum != forum && grant.forum != "*") continue;
    if (grant.person == person) return Capacity{"you"};
    roles.insert(Words(options::Role_Name(grant.role)) + " of " +
                 (grant.partner.empty() ? "the forum" : grant.partner));
    reads_only_own &= grant.role == options::MEMBER || grant.role == options::REP;
  }
  if (roles.empty()) return Capacity{"somebody who has no role here today"};
  return Capacity{absl::StrJoin(roles, ", "), reads_only_own};
}

std::string OrderOf(const v1::PersonalEntry& entry) {
  return absl::StrCat(entry.service(), "|", entry.kind(), "|", entry.type(), "|", entry.name(), "|",
                      absl::Dec(ToMicros(entry.time()), absl::kZeroPad20), "|", entry.by());
}

StatusOr<v1::PersonalData> GetPersonalData(Process& process, Ask& ask,
                                           const v1::GetPersonalDataRequest& in) {
  const auto* member = schema::FindResource("coproduction.membership.v1.Member");
  std::string forum, person;
  if (!schema::ParseName(*member, in.name(), &forum, &person)) {
    return InvalidField("name", "name is '" + in.name() + "', which is not of the form " +
                                    member->option->pattern());
  }
  const bool own = ask.principal().person(forum) == person;
  const Status nothing = Refuse(errors::RESOURCE_NOT_FOUND,
                                "there is nothing here about '" + in.name() + "'", in.name());
  if (!own && !ask.principal().Has(options::MEMBERSHIP_ADMIN, forum)) return nothing;
  ASSIGN_OR_RETURN(const Page page, Page::Of(process, ask, in, in.name()));
  std::map<std::string, v1::PersonalEntry> all;
  for (auto& runtime : process.runtimes) {
    ASSIGN_OR_RETURN(auto entries, runtime->engine().PersonalData(forum, person, own));
    for (auto& entry : entries) all.emplace(OrderOf(entry), std::move(entry));
  }
  const auto is_record = [](const auto& one) {
    return one.second.kind() == v1::PersonalEntry::RECORD;
  };
  if (std::none_of(all.begin(), all.end(), is_record)) return nothing;
  std::map<std::string, Capacity> capacities;  // by principal
  v1::PersonalData out;
  std::string last;
  for (auto it = all.upper_bound(page.after); it != all.end(); ++it) {
    auto& [order, entry] = *it;
    if (out.entries_size() == page.limit) {
      out.set_next_page_token(page.TokenAfter(last));
      break;
    }
    last = order;
    if (entry.kind() == v1::PersonalEntry::DONE || entry.kind() == v1::PersonalEntry::READ) {
      auto known = capacities.find(entry.by());
      if (known == capacities.end()) {
        ASSIGN_OR_RETURN(Capacity capacity, CapacityOf(process.runtimes[0]->authenticator(),
                                                       entry.by(), forum, person));
        known = capacities.emplace(entry.by(), std::move(capacity)).first;
      }
      if (entry.name() == "forums/" + forum && known->second.reads_only_own) continue;
      entry.set_by(known->second.words);
    }
    *out.add_entries() = std::move(entry);
  }
  return out;
}

StatusOr<v1::HubStatus> Condition(Process& process) {
  v1::HubStatus out;
  out.set_date(process.clock.Today());
  out.set_demo(process.demo);
  bool settled = true;
  for (auto& runtime : process.runtimes) {
    ASSIGN_OR_RETURN(*out.add_services(), runtime->Condition());
    const auto& one = *out.services().rbegin();
    settled &= one.unsent_events() == 0 && one.untaken_events() == 0 && one.due_timers() == 0;
  }
  out.set_settled(settled);
  return out;
}

StatusOr<v1::HubStatus> SetDate(Process& process, const v1::SetDateRequest& in) {
  if (process.clock.IsSet() && in.date() < process.clock.Today()) {
    return InvalidField("date", "date is " + in.date() + ", before the hub's date " +
                                    process.clock.Today() + "; time goes one way");
  }
  RETURN_IF_ERROR(ReplaceFile(process.demo_file, in.date() + "\n"));
  process.clock.SetDate(in.date());
  for (auto& runtime : process.runtimes) RETURN_IF_ERROR(runtime->RunDueTimers());
  return Condition(process);
}

StatusOr<v1::ListDeadLettersResponse> ListDeadLetters(Process& process, Ask& ask,
                                                      const v1::ListDeadLettersRequest& in) {
  ASSIGN_OR_RETURN(const Page page, Page::Of(process, ask, in, "dead letters of " + in.parent()));
  // By event, and by service where two refused the same.
  const size_t at = page.after.find('\n');
  const std::string event = page.after.substr(0, at);
  const std::string service = at == std::string::npos ? "" : page.after.substr(at + 1);
  std::vector<v1::DeadLetter> all;
  for (auto& runtime : process.runtimes) {
    std::vector<v1::DeadLetter> some;
    RETURN_IF_ERROR(runtime->ListDeadLetters(ask.forum(), event, runtime->name() > service,
                                             page.limit + 1, &some));
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return std::tie(a.event(), a.service()) < std::tie(b.event(), b.service());
  });
  v1::ListDeadLettersResponse out;
  const size_t shown = std::min(all.size(), static_cast<size_t>(page.limit));
  for (size_t i = 0; i < shown; ++i) *out.add_dead_letters() = std::move(all[i]);
  if (shown < all.size()) {
    const auto& last = *out.dead_letters().rbegin();
    out.set_next_page_token(page.TokenAfter(last.event() + "\n" + last.service()));
  }
  return out;
}

StatusOr<Runtime*> Serving(Process& process, const std::string& service) {
  std::string names;
  for (auto& runtime : process.runtimes) {
    if (runtime->name() == service) return runtime.get();
    names += (names.empty() ? "" : ", ") + runtime->name();
  }
  return InvalidField("service", "service is '" + service + "'; this process serves " + names);
}

StatusOr<v1::RedriveDeadLettersResponse> Redrive(Process& process,
                                                 const v1::RedriveDeadLettersRequest& in) {
  ASSIGN_OR_RETURN(Runtime * runtime, Serving(process, in.service()));
  v1::RedriveDeadLettersResponse out;
  RETURN_IF_ERROR(runtime->Redrive(in.aggregate(), &out));
  return out;
}

StatusOr<v1::DeadLetter> Discard(Process& process, const v1::DiscardDeadLetterRequest& in) {
  ASSIGN_OR_RETURN(Runtime * runtime, Serving(process, in.service()));
  return runtime->Discard(in.event(), in.reason());
}

}  // namespace

void BindHubMethods(Door& door, Process& process) {
  door.Serve<v1::ListEventsRequest, v1::ListEventsResponse>(
      "coproduction.hub.v1.Events", "ListEvents",
      [&process](Ask& ask, const v1::ListEventsRequest& in) {
        return ListEvents(process, ask, in);
      });
  door.Serve<v1::ListCrossingsRequest, v1::ListCrossingsResponse>(
      "coproduction.hub.v1.Events", "ListCrossings",
      [&process](Ask& ask, const v1::ListCrossingsRequest& in) {
        return ListCrossings(process, ask, in);
      });
  door.Serve<v1::GetPersonalDataRequest, v1::PersonalData>(
      "coproduction.hub.v1.People", "GetPersonalData",
      [&process](Ask& ask, const v1::GetPersonalDataRequest& in) {
        return GetPersonalData(process, ask, in);
      });
  door.Serve<v1::GetStatusRequest, v1::HubStatus>(
      "coproduction.hub.v1.Hub", "GetStatus",
      [&process](Ask&, const v1::GetStatusRequest&) { return Condition(process); });
  door.Serve<v1::SetDateRequest, v1::HubStatus>(
      "coproduction.hub.v1.Hub", "SetDate",
      [&process](Ask&, const v1::SetDateRequest& in) { return SetDate(process, in); });
  door.Serve<v1::ListDeadLettersRequest, v1::ListDeadLettersResponse>(
      "coproduction.hub.v1.Hub", "ListDeadLetters",
      [&process](Ask& ask, const v1::ListDeadLettersRequest& in) {
        return ListDeadLetters(process, ask, in);
      });
  door.Serve<v1::RedriveDeadLettersRequest, v1::RedriveDeadLettersResponse>(
      "coproduction.hub.v1.Hub", "RedriveDeadLetters",
      [&process](Ask&, const v1::RedriveDeadLettersRequest& in) { return Redrive(process, in); });
  door.Serve<v1::DiscardDeadLetterRequest, v1::DeadLetter>(
      "coproduction.hub.v1.Hub", "DiscardDeadLetter",
      [&process](Ask&, const v1::DiscardDeadLetterRequest& in) { return Discard(process, in); });
}

}  // namespace hub
