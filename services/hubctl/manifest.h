// A folder of a backup: files, and manifest.json, which says what they are and is written last.
// The data and the keys have a folder each, since keys are kept for a short time only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/date.h"
#include "common/base/status.h"

namespace hub::ctl {

struct Manifest {
  struct File {
    std::string name;
    int64_t bytes = 0;
    std::string sha256;  // in hex
  };
  std::string holds;    // 'data' or 'keys'
  std::string engine;   // 'sqlite' or 'postgres'
  std::string version;  // of the hub that wrote it, as 0.1.0
  Micros taken_at = 0;  // the machine's time of the copied moment
  int64_t epoch = 0;
  bool demo = false;
  std::string demo_date;  // of a demonstration; empty where none was set yet
  std::vector<File> files;
  std::map<std::string, int64_t> rows;  // by 'service.table'

  int64_t bytes() const;
  int64_t row_count() const;
};

inline constexpr char kDataCopy[] = "data", kKeysCopy[] = "keys";

// A folder that is to become `folder` when it is whole: `folder`.partial, made anew. Refused where
// `folder` is there and not empty.
StatusOr<std::string> BeginFolder(const std::string& folder);
// Fills in the files, writes the manifest, and gives the folder its name. All is on the disk then.
Status FinishFolder(const std::string& folder, Manifest* manifest);

// Reads what BeginFolder and FinishFolder made, and holds each file against it. Refuses what a
// later version wrote, what does not hold `holds`, and what is not as it was written.
StatusOr<Manifest> ReadManifest(const std::string& folder, const std::string& holds);

Status SyncFile(const std::string& path);  // or a folder's names
// What a command has come to, as JSON.
std::string Report(const std::map<std::string, std::string>& texts,
                   const std::map<std::string, double>& numbers);
std::string TimeOf(Micros at);      // '2022-06-14T10:00:00Z'
std::string SizeOf(int64_t bytes);  // '6.7 MB'

}  // namespace hub::ctl
