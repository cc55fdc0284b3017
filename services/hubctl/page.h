// A page in HTML for people.
#pragma once

#include <string>
#include <vector>

namespace hub::ctl {

std::string Html(const std::string& text);                                         // escaped
std::string Cells(const std::vector<std::string>& cells, const char* tag = "td");  // a row
std::string PageHead(const std::string& title);
inline constexpr char kPageEnd[] = "</body>\n</html>\n";

}  // namespace hub::ctl
