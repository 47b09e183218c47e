#include "framework/cli/manual.h"

#include <fmt/format.h>

#include "framework/cli/completion.h"
#include "framework/cli/shipped.h"
#include "framework/cli/typed.h"
#include "framework/node/plugin.h"

namespace weft::cli {

namespace {
constexpr const char* description =
    R"(A pipeline is a YAML file that holds a model's whole life: how it
is trained, evaluated, and what it generates.
Where a command takes a pipeline, it takes a file or the name of one that comes with weft; a file
goes first.
.PP
Training leaves its run in
.IR runs/NAME ,
which can be stopped or killed at any moment and goes on with
.BR "\-\-resume auto" ,
ending in the same bits.
Data sets are fetched by
.B weft data fetch
alone, with the package client of the machine; nothing else uses the network.
)";

constexpr const char* ending = R"(.SH ENVIRONMENT
.TP
.B WEFT_THREADS
Threads, where
.B \-\-threads
is not given.
.TP
.B WEFT_DATA_DIR
Where data sets lie:
.I $XDG_DATA_HOME/weft
or
.I \(ti/.local/share/weft
unless given.
.TP
.B WEFT_PLUGIN_PATH
Plugins, or folders of them, separated by colons.
.TP
.B WEFT_DATASETS
A file that describes more data sets.
.SH EXIT STATUS
.TP 5
0
Done.
.TP
1
Unexpected: a defect of weft.
.TP
2
A mistake in the pipeline or on the command line.
.TP
3
A plugin is missing, broken, built for another weft, or has called exit().
.TP
4
A data file is missing, truncated or corrupt.
.TP
5
A loss or a weight is not finite; the last checkpoint is.
.TP
6
A checkpoint is missing, broken or incompatible.
.TP
7
Memory or disk, threads, or results that cannot be written.
.TP
8
A verification found a difference.
.TP
75
Stopped early with a good checkpoint: run again to go on.
.TP
130
Interrupted without saving.
.SH EXAMPLES
.EX
weft data fetch fashion_mnist
weft train vae
weft generate runs/vae
weft new vae            # vae.yaml, to change
weft check vae.yaml \-\-set latent=8
.EE
.SH SEE ALSO
.BR "weft nodes" ,
.BR "weft nodes NODE" :
what a pipeline can be made of.
.br
.I /usr/share/doc/weft/pipelines.md
and the other pages there: the language, runs on servers, nodes.
)";

// Text escaped for roff.
std::string plain(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if (out.empty() && (c == '.' || c == '\''))
      out += std::string("\\&") + c;
    else
      out += c;
  }
  return out;
}

std::string value_of(const CLI::Option& option) {
  std::string type = option.get_type_name();
  for (const std::string& choice : choices(option)) {
    if (type.find('{') != std::string::npos) type.clear();
    type += (type.empty() ? "" : "|") + choice;
  }
  return type.substr(0, type.find(':'));
}

std::string entry(const CLI::Option& option) {
  std::string head = ".TP\n";
  if (option.get_positional()) {
    head += ".I " + plain(option.get_single_name()) + "\n";
  } else {
    const std::string names = option.get_name(false, true);
    std::string spaced;
    for (const char c : names) spaced += c == ',' ? std::string(", ") : std::string(1, c);
    head += fmt::format("\\fB{}\\fR{}\n", plain(spaced),
                        takes_value(option) ? " \\fI" + plain(value_of(option)) + "\\fR" : "");
  }
  return head + plain(option.get_description()) + ".\n";
}

std::string usage(const CLI::App& command, const std::string& name) {
  std::string text = "\\fB" + plain(name) + "\\fR";
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_positional()) continue;
    const std::string word = "\\fI" + plain(option->get_single_name()) + "\\fR";
    text += option->get_required() ? " " + word : " [" + word + "]";
  }
  return text + " [\\fIoptions\\fR]";
}

std::string entries(const CLI::App& command) {
  std::string text;
  for (const CLI::Option* option : command.get_options())
    if (option != command.get_help_ptr()) text += entry(*option);
  return text;
}

void add_command(const CLI::App& command, const std::string& name, std::string& out) {
  const auto further = command.get_subcommands({});
  for (const CLI::App* one : further) add_command(*one, name + " " + one->get_name(), out);
  if (!further.empty()) return;
  out += ".SS " + usage(command, name) + "\n" + plain(command.get_description()) + ".\n";
  out += entries(command);
}
}  // namespace

std::string manual(const CLI::App& app) {
  const std::string build = build_string();
  std::string out = fmt::format(
      ".TH WEFT 1 \"\" \"{}\" \"User Commands\"\n"
      ".SH NAME\nweft \\- train, evaluate and generate with models written as YAML graphs\n"
      ".SH SYNOPSIS\n\\fBweft\\fR \\fIcommand\\fR [\\fIarguments\\fR] [\\fIoptions\\fR]\n"
      ".SH DESCRIPTION\n{}{}.SH COMMANDS\nEach has \\fB\\-\\-help\\fR.\n",
      build.substr(0, build.find(" | ")), description, entries(app));
  for (const CLI::App* command : app.get_subcommands({}))
    add_command(*command, "weft " + command->get_name(), out);
  out += ".SH PIPELINES THAT COME WITH WEFT\n";
  for (const std::string& name : shipped_names()) {
    const Yaml text = Yaml::read(shipped_file(name));
    const Yaml* about = text.find("about");
    out += ".TP\n.B " + plain(name) + "\n" + plain(about ? about->text() : "") + ".\n";
  }
  return out + ending;
}

}  // namespace weft::cli
