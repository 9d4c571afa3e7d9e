import { Argument, type Command, type Option } from "commander";
import { print } from "./print.js";

type Shell = "bash" | "zsh" | "fish";

/** `refadgen completion` */
export function addCompletionCommand(program: Command, _signal: AbortSignal): void {
  program
    .command("completion")
    .description("Print a completion script for a shell.")
    .addArgument(new Argument("<shell>").choices(["bash", "zsh", "fish"]))
    .addHelpText(
      "after",
      `
Examples:
  refadgen completion bash > ~/.local/share/bash-completion/completions/refadgen
  refadgen completion zsh > ~/.zfunc/_refadgen        (with ~/.zfunc in fpath)
  refadgen completion fish > ~/.config/fish/completions/refadgen.fish`,
    )
    .action((shell: Shell) => print(completionScript(program, shell)));
}

/** A command line as far as subcommands go, and what may follow it. */
interface Place {
  readonly words: string;
  readonly description: string;
  readonly subcommands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly Option[];
  readonly arguments: readonly Argument[];
}

export function completionScript(program: Command, shell: Shell): string {
  const all = places(program, []);
  if (shell === "bash") return bash(all);
  return shell === "zsh" ? zsh(all) : fish(all);
}

function places(command: Command, path: readonly string[]): Place[] {
  const own: Place = {
    words: path.join(" "),
    description: command.description(),
    subcommands: command.commands.map((sub) => ({ name: sub.name(), description: sub.description() })),
    options: command.createHelp().visibleOptions(command),
    arguments: command.registeredArguments,
  };
  return [own, ...command.commands.flatMap((sub) => places(sub, [...path, sub.name()]))];
}

function flags({ short, long }: Option): string[] {
  return [long, short].filter((flag): flag is string => flag !== undefined);
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}

function bash(all: readonly Place[]): string {
  const cases = all.map(({ words, subcommands, options, arguments: list }) => {
    const values = options
      .filter((option) => takesValue(option))
      .map(
        (option) =>
          `        ${flags(option).join("|")}) ${option.argChoices ? `COMPREPLY=($(compgen -W "${option.argChoices.join(" ")}" -- "$current"))` : 'COMPREPLY=($(compgen -f -- "$current"))'}; return ;;`,
      );
    const answers = [...subcommands.map(({ name }) => name), ...list.flatMap((one) => one.argChoices ?? [])];
    const files =
      subcommands.length === 0 && list.some((one) => !one.argChoices)
        ? 'COMPREPLY=($(compgen -f -- "$current"))'
        : `COMPREPLY=($(compgen -W "${answers.join(" ")}" -- "$current"))`;
    return `    "${words}")
      case "$previous" in
${values.join("\n")}
      esac
      if [[ "$current" == -* ]]; then COMPREPLY=($(compgen -W "${options.flatMap(flags).join(" ")}" -- "$current")); else ${files}; fi ;;`;
  });
  const known = all.map(({ words }) => words).filter((words) => words !== "");
  return `# bash completion for refadgen
_refadgen() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" place="" index candidate
  for ((index = 1; index < COMP_CWORD; index++)); do
    candidate="\${place:+$place }\${COMP_WORDS[index]}"
    case "$candidate" in
      ${known.map((words) => `"${words}"`).join("|")}) place="$candidate" ;;
    esac
  done
  COMPREPLY=()
  case "$place" in
${cases.join("\n").replaceAll(/\n {6}case "\$previous" in\n\n {6}esac/g, "")}
  esac
}
complete -o filenames -F _refadgen refadgen`;
}

function quoted(text: string): string {
  return text.replaceAll("'", "'\\''");
}

function zsh(all: readonly Place[]): string {
  const described = (flag: string, option: Option) => {
    const value = takesValue(option) ? `:value:${option.argChoices ? `(${option.argChoices.join(" ")})` : "_files"}` : "";
    return `'${flag}[${quoted(option.description).replaceAll(/[[\]:]/g, "\\$&")}]${value}'`;
  };
  const cases = all.map(({ words, subcommands, options, arguments: list }) => {
    const specs = options.flatMap((option) => flags(option).map((flag) => described(flag, option)));
    const rest =
      subcommands.length > 0
        ? [`'*:command:((${subcommands.map(({ name, description }) => `${name}\\:"${quoted(description).replaceAll('"', "")}"`).join(" ")}))'`]
        : list.map((one) => `'*:${one.name()}:${one.argChoices ? `(${one.argChoices.join(" ")})` : "_files"}'`);
    return `    '${words}') _arguments ${[...specs, ...rest.slice(0, 1)].join(" ")} ;;`;
  });
  const known = all.map(({ words }) => words).filter((words) => words !== "");
  return `#compdef refadgen
# zsh completion for refadgen
_refadgen() {
  local place="" candidate index
  for ((index = 2; index < CURRENT; index++)); do
    candidate="\${place:+$place }\${words[index]}"
    case "$candidate" in
      ${known.map((words) => `'${words}'`).join("|")}) place="$candidate" ;;
    esac
  done
  case "$place" in
${cases.join("\n")}
  esac
}
compdef _refadgen refadgen`;
}

function fish(all: readonly Place[]): string {
  const lines = all.flatMap(({ words, subcommands, options, arguments: list }) => {
    const path = words === "" ? [] : words.split(" ");
    const children = subcommands.map(({ name }) => name).join(" ");
    const inside = path.map((word) => `__fish_seen_subcommand_from ${word}`);
    const conditions = [...inside, ...(children === "" ? [] : [`not __fish_seen_subcommand_from ${children}`])];
    const when = conditions.length === 0 ? "" : ` -n '${conditions.join("; and ")}'`;
    return [
      ...subcommands.map(({ name, description }) => `complete -c refadgen -f${when} -a ${name} -d '${quoted(description)}'`),
      ...list.flatMap((one) => (one.argChoices ? [`complete -c refadgen -f${when} -a '${one.argChoices.join(" ")}'`] : [])),
      ...options.map((option) => {
        const names = `${option.long === undefined ? "" : ` -l ${option.long.slice(2)}`}${option.short === undefined ? "" : ` -s ${option.short.slice(1)}`}`;
        const value = takesValue(option) ? (option.argChoices ? ` -x -a '${option.argChoices.join(" ")}'` : " -r -F") : " -f";
        return `complete -c refadgen${when}${names}${value} -d '${quoted(option.description)}'`;
      }),
    ];
  });
  return `# fish completion for refadgen\n${lines.join("\n")}`;
}
