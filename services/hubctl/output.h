// What is printed: an answer as a table or JSON, a refusal as one line.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "google/protobuf/message.h"

namespace hub::ctl {

enum ExitCode { kDone = 0, kRefused = 1, kUsage = 2, kNotReachable = 3 };

// Columns as wide as their widest cell, and as many of them from the left as fit into `width`; the
// last that fits in part ends in '…'. The first row is the header; numbers are set to the right.
std::string Table(std::vector<std::vector<std::string>> rows, size_t width);

// Letters of a UTF-8 text.
size_t Letters(const std::string& text);
std::string Fit(const std::string& text, size_t letters);  // cut, or filled up with spaces

// An answer with a list: its records with name, state and the short fields that say something. Any
// other: a line a field.
std::string AsTable(const google::protobuf::Message& answer, size_t width);
// As every client in proto JSON gets it, zero values included.
std::string AsJson(const google::protobuf::Message& answer);

// Of a name: what stands behind the last `sign`.
std::string LastPart(const std::string& name, char sign);

size_t TerminalWidth();  // 100 where there is none
// 'json' or 'table'; where nothing is said, a table on a terminal.
bool WantsJson(const std::string& format);
void Print(const google::protobuf::Message& answer, const std::string& format);

// A mistake in how the program was called: not the hub's refusal.
Status UsageError(const std::string& message);
// 'refused (INVALID_FIELD, field member.email): ...', or the message alone of a usage error.
std::string Refusal(const Status& status);
ExitCode ExitCodeOf(const Status& status);

}  // namespace hub::ctl
