// For each service a short story that calls every method that changes something once, validly: the
// calls that the tables of bad input are broken from, and the records that they are about.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/testing/mini_service.h"

namespace hub::integration {

struct Step {
  // A role; 'SERVICE' for another service; 'event' for an event of another service that arrives;
  // 'dead letter' for one that is refused until it is set aside, as event 'refused-1'; 'date' for a
  // new date of the hub.
  std::string who;
  // The request (or event) message: its bare name where it is of the story's own service.
  std::string message;
  // Text format. '$Session' stands for the name of the last record of that type that an answer
  // brought, or else that the table has last; '$Document.text_hash' for a field of the last answer.
  std::string text;
};

struct Story {
  std::string service;
  Module (*module)();
  std::string date;  // the hub's at the beginning
  // What the other services say when they are asked.
  void (*others)(testing::MiniService& mini);
  std::vector<Step> steps;
};

const std::vector<Story>& Stories();

}  // namespace hub::integration
