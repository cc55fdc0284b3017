#include "services/hubctl/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/date.h"
#include "google/protobuf/util/json_util.h"

namespace hub::ctl {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

using Rows = std::vector<std::vector<std::string>>;

constexpr size_t kGap = 2;
constexpr size_t kWidest = 36;    // of a column but the name's
constexpr size_t kNarrowest = 8;  // of a column that is cut
constexpr size_t kUsualWidth = 100;

bool IsTimestamp(const FieldDescriptor* field) {
  return field->message_type() != nullptr &&
         field->message_type()->full_name() == "google.protobuf.Timestamp";
}

std::string Instant(const Message& time) {
  const int64_t seconds =
      time.GetReflection()->GetInt64(time, time.GetDescriptor()->FindFieldByName("seconds"));
  return absl::FormatTime("%Y-%m-%d %H:%M", absl::FromUnixSeconds(seconds), London());
}

// One value; `index` is -1 for a field that is not repeated.
std::string TextOf(const Message& message, const FieldDescriptor* field, int index) {
  const Reflection* reflection = message.GetReflection();
  const bool many = index >= 0;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text = many ? reflection->GetRepeatedString(message, field, index)
                                    : reflection->GetString(message, field);
      return field->type() == FieldDescriptor::TYPE_BYTES && !text.empty()
                 ? absl::StrCat(text.size(), " bytes")
                 : text;
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto* value = many ? reflection->GetRepeatedEnum(message, field, index)
                               : reflection->GetEnum(message, field);
      return value->number() == 0 ? "" : value->name();
    }
    case FieldDescriptor::CPPTYPE_BOOL: {
      const bool value = many ? reflection->GetRepeatedBool(message, field, index)
                              : reflection->GetBool(message, field);
      return value ? "yes" : "no";
    }
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(many ? reflection->GetRepeatedInt32(message, field, index)
                               : reflection->GetInt32(message, field));
    case FieldDescriptor::CPPTYPE_INT64:
      return absl::StrCat(many ? reflection->GetRepeatedInt64(message, field, index)
                               : reflection->GetInt64(message, field));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return IsTimestamp(field) && !many && reflection->HasField(message, field)
                 ? Instant(reflection->GetMessage(message, field))
                 : "";
    default:
      return "";
  }
}

// Names are the same within one forum but for their end: 'requests/0190a5f2-...'.
std::string WithinForum(const std::string& name) {
  if (!name.starts_with("forums/")) return name;
  const size_t slash = name.find('/', sizeof "forums/" - 1);
  return slash == std::string::npos ? name : name.substr(slash + 1);
}

const FieldDescriptor* ListIn(const Descriptor* answer) {
  const FieldDescriptor* list = nullptr;
  for (int i = 0; i < answer->field_count(); ++i) {
    const FieldDescriptor* field = answer->field(i);
    if (field->is_repeated() && field->message_type() != nullptr && !field->is_map() &&
        list == nullptr) {
      list = field;
    } else if (field->name() != "next_page_token") {
      return nullptr;
    }
  }
  return list;
}

bool SaysSomething(const Rows& rows, size_t column) {
  return std::any_of(rows.begin() + 1, rows.end(), [&](const std::vector<std::string>& row) {
    return !row[column].empty() && row[column] != "no" && row[column] != "0";
  });
}

// Name, state, then the other fields of one value, in their order.
std::vector<const FieldDescriptor*> ColumnsOf(const Descriptor* record) {
  std::vector<const FieldDescriptor*> columns;
  auto add = [&](const FieldDescriptor* field) {
    if (field != nullptr && std::count(columns.begin(), columns.end(), field) == 0 &&
        !field->is_repeated() && (field->message_type() == nullptr || IsTimestamp(field)) &&
        field->name() != "etag") {
      columns.push_back(field);
    }
  };
  add(record->FindFieldByName("name"));
  add(record->FindFieldByName("state"));
  for (int i = 0; i < record->field_count(); ++i) add(record->field(i));
  return columns;
}

Rows RowsOf(const Message& answer, const FieldDescriptor* list) {
  const std::vector<const FieldDescriptor*> columns = ColumnsOf(list->message_type());
  Rows all(1);
  for (const FieldDescriptor* column : columns) all[0].push_back(column->name());
  for (int i = 0; i < answer.GetReflection()->FieldSize(answer, list); ++i) {
    const Message& record = answer.GetReflection()->GetRepeatedMessage(answer, list, i);
    std::vector<std::string>& row = all.emplace_back();
    for (const FieldDescriptor* column : columns) {
      row.push_back(WithinForum(TextOf(record, column, -1)));
    }
  }
  Rows telling(all.size());
  for (size_t column = 0; column < columns.size(); ++column) {
    if (!SaysSomething(all, column)) continue;
    for (size_t row = 0; row < all.size(); ++row) telling[row].push_back(all[row][column]);
  }
  return telling;
}

// 'acceptance.forum_time' -> its text, for every field that has a value.
void AddLines(const Message& message, const std::string& prefix, Rows* lines) {
  const Descriptor* type = message.GetDescriptor();
  const Reflection* reflection = message.GetReflection();
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    const std::string name = prefix + field->name();
    const bool nested = field->message_type() != nullptr && !IsTimestamp(field);
    if (field->is_map()) {
      for (int j = 0; j < reflection->FieldSize(message, field); ++j) {
        const Message& entry = reflection->GetRepeatedMessage(message, field, j);
        lines->push_back({name + "." + TextOf(entry, entry.GetDescriptor()->map_key(), -1),
                          TextOf(entry, entry.GetDescriptor()->map_value(), -1)});
      }
    } else if (field->is_repeated()) {
      for (int j = 0; j < reflection->FieldSize(message, field); ++j) {
        const std::string at = absl::StrCat(name, "[", j, "]");
        if (nested) {
          AddLines(reflection->GetRepeatedMessage(message, field, j), at + ".", lines);
        } else {
          lines->push_back({at, TextOf(message, field, j)});
        }
      }
    } else if (nested) {
      if (reflection->HasField(message, field)) {
        AddLines(reflection->GetMessage(message, field), name + ".", lines);
      }
    } else if (const std::string text = TextOf(message, field, -1); !text.empty()) {
      lines->push_back({name, text});
    }
  }
}

// Made by Refuse(), there or here; not a mistake in how this program was called.
bool IsOfHub(const Status& status) {
  return status.GetPayload("type.googleapis.com/google.rpc.ErrorInfo").has_value();
}

bool IsNumber(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(c) || c == '.' || c == '-';
  });
}

}  // namespace

size_t Letters(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; });
}

std::string Fit(const std::string& text, size_t letters) {
  const size_t count = Letters(text);
  if (count <= letters) return text + std::string(letters - count, ' ');
  std::string cut;
  size_t kept = 0;
  for (char c : text) {
    if ((c & 0xc0) != 0x80 && ++kept == letters) break;
    cut += c;
  }
  return letters == 0 ? "" : cut + "…";
}

std::string Table(std::vector<std::vector<std::string>> rows, size_t width) {
  for (auto& row : rows) {
    for (std::string& cell : row) cell.resize(std::min(cell.size(), cell.find('\n')));
  }
  struct Column {
    size_t letters = 0;
    bool number = true;
  };
  std::vector<Column> columns;
  size_t used = 0;
  for (size_t c = 0; !rows.empty() && c < rows[0].size(); ++c) {
    Column column;
    for (size_t r = 0; r < rows.size(); ++r) {
      column.letters = std::max(column.letters, Letters(rows[r][c]));
      if (r > 0 && !rows[r][c].empty()) column.number = column.number && IsNumber(rows[r][c]);
    }
    if (c > 0) column.letters = std::min(column.letters, kWidest);
    const size_t gap = c == 0 ? 0 : kGap;
    if (used + gap + column.letters > width && c > 0) {
      if (width < used + gap + kNarrowest) break;
      column.letters = width - used - gap;
    }
    used += gap + column.letters;
    columns.push_back(column);
    if (used >= width) break;
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t c = 0; c < columns.size(); ++c) {
      if (c > 0) line += std::string(kGap, ' ');
      const size_t letters = Letters(row[c]);
      if (columns[c].number && letters < columns[c].letters) {
        line += std::string(columns[c].letters - letters, ' ') + row[c];
      } else {
        line += Fit(row[c], columns[c].letters);
      }
    }
    absl::StripTrailingAsciiWhitespace(&line);
    text += line + "\n";
  }
  return text;
}

std::string AsTable(const Message& answer, size_t width) {
  if (const FieldDescriptor* list = ListIn(answer.GetDescriptor())) {
    if (answer.GetReflection()->FieldSize(answer, list) == 0) return "nothing\n";
    std::string text = Table(RowsOf(answer, list), width);
    const FieldDescriptor* token = answer.GetDescriptor()->FindFieldByName("next_page_token");
    if (token != nullptr) {
      const std::string next = answer.GetReflection()->GetString(answer, token);
      if (!next.empty()) text += "more: --all, or --page-token=" + next + "\n";
    }
    return text;
  }
  Rows lines;
  AddLines(answer, "", &lines);
  size_t letters = 0;
  for (const auto& line : lines) letters = std::max(letters, Letters(line[0]));
  std::string text;
  for (const auto& line : lines) {
    absl::StrAppend(&text, Fit(line[0], letters), "  ", line[1], "\n");
  }
  return text.empty() ? "done\n" : text;
}

std::string AsJson(const Message& answer) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto printed = google::protobuf::util::MessageToJsonString(answer, &json, options);
  return printed.ok() ? json : "{}\n";
}

std::string LastPart(const std::string& name, char sign) {
  return name.substr(name.rfind(sign) + 1);
}

size_t TerminalWidth() {
  winsize size;
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                         : kUsualWidth;
}

bool WantsJson(const std::string& format) {
  return format == "json" || (format.empty() && isatty(STDOUT_FILENO) == 0);
}

void Print(const Message& answer, const std::string& format) {
  std::cout << (WantsJson(format) ? AsJson(answer) : AsTable(answer, TerminalWidth()));
}

Status UsageError(const std::string& message) { return absl::InvalidArgumentError(message); }

std::string Refusal(const Status& status) {
  if (!IsOfHub(status)) return MessageOf(status);
  const errors::ErrorInfo info = ErrorInfoOf(status);
  const std::map<std::string, std::string> about(info.metadata().begin(), info.metadata().end());
  std::string text = "refused (" + info.reason();
  for (const auto& [key, value] : about) absl::StrAppend(&text, ", ", key, " ", value);
  return text + "): " + MessageOf(status);
}

ExitCode ExitCodeOf(const Status& status) {
  if (status.ok()) return kDone;
  if (!IsOfHub(status)) return kUsage;
  const bool away = status.code() == absl::StatusCode::kUnavailable ||
                    status.code() == absl::StatusCode::kDeadlineExceeded;
  return away ? kNotReachable : kRefused;
}

}  // namespace hub::ctl
