#include "common/journal/standard.h"

#include <memory>

#include "absl/strings/match.h"

namespace hub::journal {
namespace {

// What the templates of Read and Write are made of.
struct Records : Write {
  using Write::ApplyMask;
  using Write::Insert;
  using Write::ListPage;
  using Write::Load;
  using Write::LoadIfThere;
  using Write::LoadSettings;
  using Write::Store;
};

Status Get(Read& context, const Message& in, Message* out) {
  return static_cast<Records&>(context).Load(schema::TextOf(in, "name"), "", false, out);
}

Status List(Read& context, const Message& in, Message* out) {
  return static_cast<Records&>(context).ListPage(in, out);
}

Status GetSettings(Read& context, const Message&, Message* out) {
  return static_cast<Records&>(context).LoadSettings(out);
}

// Settings are there from the start: what a forum has not set has the schema's default.
Status UpdateSettings(Read& context, const google::protobuf::FieldDescriptor* body,
                      const google::protobuf::FieldDescriptor* mask, const Message& in,
                      Message* out) {
  auto& records = static_cast<Records&>(context);
  const auto& wanted = in.GetReflection()->GetMessage(in, body);
  const std::string name = schema::GetName(wanted);
  ASSIGN_OR_RETURN(const bool known, records.LoadIfThere(name, out));
  if (!known) {
    out->Clear();
    RETURN_IF_ERROR(records.Insert(out, ""));
  }
  out->Clear();
  RETURN_IF_ERROR(records.Load(name, known ? schema::TextOf(wanted, "etag") : "", true, out));
  RETURN_IF_ERROR(records.ApplyMask(
      wanted,
      static_cast<const google::protobuf::FieldMask&>(in.GetReflection()->GetMessage(in, mask)),
      out));
  RETURN_IF_ERROR(records.Store(out));
  out->Clear();
  return records.LoadSettings(out);
}

}  // namespace

Standard StandardOf(const schema::Method& method) {
  const auto* in = method.descriptor->input_type();
  const auto* out = method.descriptor->output_type();
  const auto* resource = schema::FindResource(out);
  const std::string& name = method.descriptor->name();
  if (absl::StartsWith(name, "Get") && resource != nullptr && in->FindFieldByName("name")) {
    return {false, resource->singleton ? GetSettings : Get};
  }
  if (absl::StartsWith(name, "List") && in->FindFieldByName("page_token") &&
      out->FindFieldByName("next_page_token")) {
    return {false, List};
  }
  if (absl::StartsWith(name, "Update") && resource != nullptr && resource->singleton) {
    const google::protobuf::FieldDescriptor* body = nullptr;
    for (int i = 0; i < in->field_count(); ++i) {
      if (in->field(i)->message_type() == out) body = in->field(i);
    }
    const auto* mask = in->FindFieldByName("update_mask");
    if (body == nullptr || mask == nullptr) return {};
    return {true, [body, mask](Read& context, const Message& request, Message* response) {
              return UpdateSettings(context, body, mask, request, response);
            }};
  }
  return {};
}

}  // namespace hub::journal
