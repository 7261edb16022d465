/**
 * Words that say nothing about what a text is about: function words, and the words that questions are made of. Left out of
 * the index and of queries alike.
 */

const ENGLISH = `a about above across after again against ago all almost along already also although always am among an and
another any anybody anyone anything are aren't around as ask at away back be became because become been before being below
between both but by came can cannot can't come could couldn't did didn't do does doesn't doing don't done down during each
either else even ever every everybody everyone everything explain few find first for from further get gets getting give given
gives go goes going gone got had happen happened happens has hasn't have haven't having he her here hers herself him himself
his how however i if in instead into is isn't it its itself just keep kind know later least less let like made make makes
making many may me might mine more most much must my myself name named neither never no nobody none nor not nothing now of
off often on once one only onto or other others ought our ours ourselves out over own per perhaps please quite rather really
said same say says see seen shall she should shouldn't show since so some somebody someone something still such take taken
takes tell than that the their theirs them themselves then there therefore these they thing things this those though through
thus to together too toward towards under until up upon us use used uses using very via want was wasn't way we well went were
weren't what whatever when whenever where whereas wherever whether which whichever while who whoever whole whom whose why will
with within without won't would wouldn't yet you your yours yourself`;

/** Chinese function and question words. Single characters here are left out when they stand alone. */
const CHINESE = `的 了 着 过 是 在 有 和 与 及 或 也 都 就 才 还 又 再 很 更 最 太 这 那 哪 此 其 之 者 所 以 于 为 被 把 让 使 给 对 从 到
由 向 往 跟 同 比 将 会 能 可 要 想 该 应 需 须 得 地 不 没 无 非 别 吗 呢 吧 啊 呀 么 嘛 哦 我 你 您 他 她 它 们 咱 自 己 个 些 种 只 每 各 某 另
一 两 几 多 少 上 下 里 中 内 外 前 后 时 来 去 起 出 进 做 作 用 说 叫 请 问 而 且 但 并 则 若 如 因 何 谁 什么 怎么 怎样 怎么样 怎么办 如何 为什么 为何
哪里 哪儿 哪个 哪些 哪种 谁的 多少 多久 多大 多长 几个 几种 是否 是不是 有没有 能不能 会不会 可以 可能 能够 应该 应当 必须 需要 想要 希望 我们 你们 他们 她们
它们 咱们 自己 大家 别人 这个 那个 这些 那些 这种 那种 这样 那样 这里 那里 这时 那时 此时 时候 的时候 之前 之后 以前 以后 之间 以及 以上 以下 以内 之外
其中 其他 其它 另外 还有 还是 或者 或是 而且 并且 但是 可是 不过 然而 因为 所以 因此 由于 如果 假如 要是 虽然 尽管 即使 只要 只有 除了 关于 对于 至于
根据 按照 通过 随着 没有 不是 不要 不能 不会 已经 正在 曾经 将要 仍然 一直 总是 经常 有时 一个 一些 一种 一下 一样 一起 一定 一般 这么 那么 多么 非常
十分 比较 特别 更加 最后 首先 然后 接着 于是 的话 而言 来说 什么样 告诉 请问 知道 觉得 认为 东西 事情 做到 进行 使用 发生 起来 出来 下来 过来`;

/** Characters that are no part of a word's body, wherever they stand. */
const PARTICLES =
  "的了着过是在有和与及或也都就才还又再很更最太这那哪此其之者所以于为被把让使给对从到由向往跟同比将会能可要想该应需须得地不没无非别吗呢吧啊呀么嘛哦我你您他她它们咱自己个些何谁什怎请";

const ENGLISH_SET: ReadonlySet<string> = new Set(ENGLISH.split(/\s+/).map((word) => word.replace(/'.*/, "")));
const CHINESE_SET: ReadonlySet<string> = new Set(CHINESE.split(/\s+/));
const PARTICLE_SET: ReadonlySet<string> = new Set(PARTICLES);

/** Whether a lower-case word carries no topic. */
export function isStopWord(word: string): boolean {
  return ENGLISH_SET.has(word) || CHINESE_SET.has(word);
}

/** Whether a character binds words together rather than being part of one. */
export function isParticle(char: string): boolean {
  return PARTICLE_SET.has(char);
}
