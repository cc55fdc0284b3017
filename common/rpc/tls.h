// Certificates of this process, read anew while it serves, so that a new one counts without a
// restart. A service's certificate has the service's name ('scheduling') among its names: by it a
// caller knows that it reached that service, and the asked one who calls.
#pragma once

#include <memory>
#include <string>

#include "common/base/status.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"

namespace hub {

struct TlsFiles {
  std::string certificate;  // PEM, with the chain; empty: no TLS
  std::string key;
  std::string authority;  // PEM: who signs the services' certificates
};

// Both or neither of certificate and key; each file can be read. INVALID_FIELD otherwise.
Status CheckTlsFiles(const TlsFiles& files);
// Whoever shows a certificate must have it from the authority; those outside show none.
std::shared_ptr<grpc::ServerCredentials> ServerCredentials(const TlsFiles& files);
// To other services: shows one's own certificate, and takes theirs from the authority alone.
std::shared_ptr<grpc::ChannelCredentials> PeerCredentials(const TlsFiles& files);

}  // namespace hub
