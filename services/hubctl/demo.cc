#include "services/hubctl/demo.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <vector>

#include "absl/strings/str_format.h"
#include "common/base/clock.h"
#include "services/hubctl/demo_turn.h"
#include "services/hubctl/output.h"

namespace hub::ctl {
namespace {

// The half year of the joint evaluation. [seed]
constexpr char kFirstDay[] = "2021-07-31";
constexpr char kLastDay[] = "2022-06-14";
constexpr size_t kBar = 30;

// On a terminal a bar that moves, else a line for each month.
class Progress {
 public:
  explicit Progress(size_t acts) : acts_(acts) {}
  Progress(const Progress&) = delete;
  ~Progress() {
    if (terminal_) std::cerr << "\r\033[K";
  }

  void At(size_t done, const std::string& day) {
    const std::string month = day.substr(0, 7);
    const bool ends = !month_.empty() && (month != month_ || done == acts_);
    if (terminal_) {
      const size_t filled = kBar * done / std::max<size_t>(acts_, 1);
      std::cerr << "\r[" << std::string(filled, '#') << std::string(kBar - filled, '.') << "] "
                << day << "  " << done << " of " << acts_ << " acts" << std::flush;
    } else if (ends) {
      std::cerr << month_ << "  " << done << " of " << acts_ << " acts done\n";
    }
    month_ = month;
  }

 private:
  const bool terminal_ = isatty(STDERR_FILENO) != 0;
  const size_t acts_;
  std::string month_;
};

Status Play(const std::vector<Plan::Act>& acts, Player* player) {
  RETURN_IF_ERROR(player->Begin(kFirstDay));
  Progress progress(acts.size());
  size_t done = 0;
  for (const Plan::Act& act : acts) {
    progress.At(done, act.day);
    RETURN_IF_ERROR(player->MoveTo(act.day));
    Turn turn(player, *act.row, act.column);
    RETURN_IF_ERROR(act.deed(turn));
    ++done;
  }
  progress.At(done, kLastDay);
  RETURN_IF_ERROR(player->MoveTo(kLastDay));
  return player->Settle();
}

}  // namespace

Status PlayDemo(const std::string& folder, Options options) {
  if (options.forum.empty()) options.forum = kDevelopmentForum;
  const Micros began = MachineNow();
  ASSIGN_OR_RETURN(const std::unique_ptr<Book> book, Book::Open(folder));
  Plan plan(*book, kFirstDay);
  PlanMembership(&plan);
  PlanSessions(&plan);
  PlanRequests(&plan);
  PlanRecords(&plan);
  PlanLiveFeedback(&plan);
  PlanMoney(&plan);
  ASSIGN_OR_RETURN(const std::vector<Plan::Act> acts, plan.InOrder());
  Player player(*book, options);
  RETURN_IF_ERROR(Play(acts, &player));
  std::cerr << absl::StrFormat("%d acts in %d calls, from %s to %s, took %.1f seconds\n",
                               acts.size(), player.calls(), kFirstDay, kLastDay,
                               static_cast<double>(MachineNow() - began) / 1e6);
  return Status();
}

}  // namespace hub::ctl
