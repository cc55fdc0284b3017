#include "common/auth/viewer.h"

namespace hub::auth {

privacy::Viewer ViewerOf(const Principal& principal, const std::string& forum) {
  privacy::Viewer viewer;
  viewer.side = principal.side;
  for (const auto& grant : principal.grants) {
    if (grant.forum == forum || grant.forum == "*") viewer.roles.insert(grant.role);
  }
  viewer.person = principal.person(forum);
  viewer.partner = principal.partner(forum);
  return viewer;
}

}  // namespace hub::auth
