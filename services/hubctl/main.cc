#include "services/hubctl/app.h"

int main(int argc, char** argv) { return hub::ctl::Run({argv + 1, argv + argc}); }
