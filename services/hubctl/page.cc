#include "services/hubctl/page.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace hub::ctl {

std::string Html(const std::string& text) {
  return absl::StrReplaceAll(
      text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"\n", "<br>"}});
}

std::string Cells(const std::vector<std::string>& cells, const char* tag) {
  std::string row = "<tr>";
  for (const std::string& cell : cells) {
    absl::StrAppend(&row, "<", tag, ">", Html(cell), "</", tag, ">");
  }
  return row + "</tr>\n";
}

std::string PageHead(const std::string& title) {
  constexpr char kHead[] = R"(<!DOCTYPE html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
body { font: 1.1rem/1.5 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #111 }
table { border-collapse: collapse; margin: 0 0 1.2rem; width: 100% }
td, th { border-bottom: 1px solid #767676; padding: .3rem .6rem; text-align: left; vertical-align: top;
  overflow-wrap: anywhere }
</style>
</head>
<body>
)";
  return absl::StrReplaceAll(kHead, {{"{title}", Html(title)}});
}

}  // namespace hub::ctl
