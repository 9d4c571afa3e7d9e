import type { Command, Option } from "commander";

export const completionShells = ["bash", "zsh", "fish"] as const;
export type CompletionShell = (typeof completionShells)[number];

/** A command by its words, such as `cache clear`; "" for the program itself. */
interface Described {
  readonly words: string;
  readonly subcommands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly {
    readonly flag: string;
    readonly description: string;
    readonly takesValue: boolean;
    readonly choices: readonly string[];
  }[];
}

/** A script for a shell, made from the program's own commands and options. Values that are not listed complete as files. */
export function completionScript(program: Command, shell: CompletionShell): string {
  const commands = described(program);
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](program.name(), commands);
}

function described(command: Command, words: readonly string[] = []): Described[] {
  const own: Described = {
    words: words.join(" "),
    subcommands: command.commands.map((sub) => ({ name: sub.name(), description: sub.description() })),
    options: [
      ...command.options
        .filter(({ long }) => long !== undefined)
        .map((option: Option) => ({
          flag: option.long!,
          description: option.description,
          takesValue: option.required || option.optional,
          choices: option.argChoices ?? [],
        })),
      { flag: "--help", description: "display help", takesValue: false, choices: [] },
    ],
  };
  return [own, ...command.commands.flatMap((sub) => described(sub, [...words, sub.name()]))];
}

function bashScript(name: string, commands: readonly Described[]): string {
  const cases = commands.map(
    ({ words, subcommands, options }) =>
      `    "${words}") words="${[...subcommands.map((sub) => sub.name), ...options.map(({ flag }) => flag)].join(" ")}" files=${subcommands.length > 0 ? "" : "yes"} ;;`,
  );
  const values = commands.flatMap(({ words, options }) =>
    options.flatMap(({ flag, takesValue, choices }) =>
      takesValue
        ? [
            `    "${words} ${flag}") ${choices.length > 0 ? `COMPREPLY=($(compgen -W "${choices.join(" ")}" -- "$current"))` : 'COMPREPLY=($(compgen -f -- "$current"))'}; return ;;`,
          ]
        : [],
    ),
  );
  const known = commands.map(({ words }) => `"${words}"`).join("|");
  return `# ${name} completion for bash
_${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command="" word words="" files=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${command:+$command }$word" in
      ${known}) command="\${command:+$command }$word" ;;
    esac
  done
  case "$command $previous" in
${values.join("\n")}
  esac
  case "$command" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [[ -n "$files" && "$current" != -* ]]; then COMPREPLY+=($(compgen -f -- "$current")); fi
}
complete -o filenames -F _${name} ${name}
`;
}

function zshScript(name: string, commands: readonly Described[]): string {
  const quoted = (text: string) => text.replaceAll("'", "'\\''").replaceAll("[", "\\[").replaceAll("]", "\\]").replaceAll(":", "\\:");
  const functions = commands.map(({ words, subcommands, options }) => {
    const specs = options.map(
      ({ flag, description, takesValue, choices }) =>
        `    '${flag}[${quoted(description)}]${takesValue ? `:value:${choices.length > 0 ? `(${choices.join(" ")})` : "_files"}` : ""}'`,
    );
    const own = `_${[name, ...words.split(" ").filter((word) => word !== "")].join("_")}`;
    if (subcommands.length === 0) return `${own}() {\n  _arguments \\\n${specs.join(" \\\n")} \\\n    '*:file:_files'\n}`;
    const list = subcommands.map((sub) => `      '${sub.name}:${quoted(sub.description)}'`).join("\n");
    const dispatch = subcommands.map((sub) => `      ${sub.name}) ${own}_${sub.name} ;;`).join("\n");
    return `${own}() {\n  local line state\n  _arguments -C \\\n${specs.join(" \\\n")} \\\n    '1: :->command' '*::arg:->rest'\n  case $state in\n    command)\n      local -a commands=(\n${list}\n      )\n      _describe command commands ;;\n    rest)\n      case $line[1] in\n${dispatch}\n      esac ;;\n  esac\n}`;
  });
  return `#compdef ${name}\n# ${name} completion for zsh\n${functions.join("\n")}\n_${name} "$@"\n`;
}

function fishScript(name: string, commands: readonly Described[]): string {
  const quoted = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const lines = commands.flatMap(({ words, subcommands, options }) => {
    const parts = words.split(" ").filter((word) => word !== "");
    const below = subcommands.map((sub) => sub.name).join(" ");
    const here = parts.map((part) => `__fish_seen_subcommand_from ${part}`).join("; and ");
    const condition = [...(here === "" ? [] : [here]), ...(below === "" ? [] : [`not __fish_seen_subcommand_from ${below}`])].join("; and ");
    const when = condition === "" ? "" : ` -n ${quoted(condition)}`;
    return [
      ...subcommands.map((sub) => `complete -c ${name}${when} -f -a ${sub.name} -d ${quoted(sub.description)}`),
      ...options.map(
        ({ flag, description, takesValue, choices }) =>
          `complete -c ${name}${when} -l ${flag.slice(2)} -d ${quoted(description)}${takesValue ? ` -r${choices.length > 0 ? ` -f -a ${quoted(choices.join(" "))}` : ""}` : ""}`,
      ),
    ];
  });
  return `# ${name} completion for fish\n${lines.join("\n")}\n`;
}
