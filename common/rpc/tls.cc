#include "common/rpc/tls.h"

#include <fstream>

#include "grpcpp/security/tls_certificate_provider.h"
#include "grpcpp/security/tls_credentials_options.h"

namespace hub {
namespace {

namespace tls = ::grpc::experimental;

constexpr unsigned kReadEverySeconds = 1;

std::shared_ptr<tls::CertificateProviderInterface> Watched(const TlsFiles& files) {
  return std::make_shared<tls::FileWatcherCertificateProvider>(files.key, files.certificate,
                                                               files.authority, kReadEverySeconds);
}

}  // namespace

Status CheckTlsFiles(const TlsFiles& files) {
  if (files.certificate.empty() != files.key.empty()) {
    return InvalidField("tls_key", "--tls_certificate and --tls_key go together");
  }
  if (files.certificate.empty() && !files.authority.empty()) {
    return InvalidField("tls_authority", "--tls_authority needs --tls_certificate and --tls_key");
  }
  for (const std::string* path : {&files.certificate, &files.key, &files.authority}) {
    if (!path->empty() && !std::ifstream(*path)) {
      return InvalidField("tls", "the file '" + *path + "' cannot be read");
    }
  }
  return Status();
}

std::shared_ptr<grpc::ServerCredentials> ServerCredentials(const TlsFiles& files) {
  if (files.certificate.empty()) return grpc::InsecureServerCredentials();
  tls::TlsServerCredentialsOptions options(Watched(files));
  options.watch_identity_key_cert_pairs();
  if (!files.authority.empty()) {
    options.watch_root_certs();
    options.set_cert_request_type(GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return tls::TlsServerCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> PeerCredentials(const TlsFiles& files) {
  if (files.authority.empty()) return grpc::InsecureChannelCredentials();
  tls::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(Watched(files));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  return tls::TlsCredentials(options);
}

}  // namespace hub
