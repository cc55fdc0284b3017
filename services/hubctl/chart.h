// Charts for pages, as SVG that a screen reader can say: a title, and all numbers in the
// description.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace hub::ctl {

// `body` in the frame: `width` by `height` in its own units, as wide as the page. `id` is the
// page's alone.
std::string Svg(const std::string& id, const std::string& title, const std::string& described,
                int width, int height, const std::string& body);

// Values by date, oldest first, from zero to the greatest.
std::string LineChart(const std::string& id, const std::string& title,
                      const std::vector<std::pair<std::string, int64_t>>& values);

}  // namespace hub::ctl
