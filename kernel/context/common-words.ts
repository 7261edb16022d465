import { stem } from "./stemmer.ts";

/**
 * Ordinary words: what people put a question in when they do not repeat the text. They may stand on any page, so they say
 * less about the one that is meant than a word of the subject does, however rarely this text happens to use them.
 */

const ENGLISH = `
able accept account act action active actual add address admit advice affair afraid age agree aim air alive
allow alone amount animal announce answer appear apply approach area arm arrange arrive art article attack
attempt attend attention author avoid aware bad bag ball bank base basic bear beat beautiful beauty bed begin
behave believe belong benefit best better bit black block blood blow blue board boat body book border born
borrow bottom box boy branch break bright bring broad brother build burn business busy buy calculate call calm
card care careful carry case catch cause certain chance change character charge cheap check chief child choice
choose circle city claim class clean cleanly clear climb close clothes cloud coast cold collect color colour
combine comfort command common community company compare compete complete concern condition confirm connect
consider contain content continue contrast control cook cool copy corner correct cost count country couple
course court cover create creature cross crowd cry current custom cut damage danger dangerous dark date daughter
day dead deal dear death decide decision decline deep defend degree delay delight deliver demand depend describe
desire destroy detail develop die differ difference different difficult difficulty dinner direct direction
directly disappear discover discuss distance divide doctor door double doubt draw dream dress drink drive drop
dry dust duty ear early earn earth easily east easy eat edge educate effect effort elsewhere empty end enemy
energy enjoy enter entire entirely equal escape especially event evidence exact examine example excellent except
exchange excite exist expect expensive experience experiment express extend extra extreme eye face fact fail
fair faith fall false familiar family famous fancy far farm fashion fast father favor favour fear feel fellow
female field fight figure fill final fine finger finish fire firm fit fix flat floor flow flower fly follow fond
food fool foot force foreign forget forgive form formal former formerly forward free fresh friend front fruit
full fun function funny future gain game garden gather general gentle girl glad glass goal god gold good govern
government grand grass great greatly green ground group grow guess guest guide habit hair half hall hand handle
hang happy hard hat hate head health healthy hear heart heat heavy height help hide high hill history hit hold
hole home honest honour hope horse hot hour house huge human hurry hurt husband idea ignore ill image imagine
immediate important impossible improve include increase indeed individual influence inform information inner
inside insist instance instead instruct intend interest introduce invent invite island issue item join journey
joy judge jump keep kill kind king kitchen knock lack lady lake land language large largely last late laugh law
lay lead leader learn leave left leg lend length lesson letter level lie life lift light likely limit line lip
list listen live local lock lonely long look lose loss loud love low lower luck lunch machine magic mail main
mainly male man manage manner map march mark market marry master match material matter mean measure meat meet
member memory mention mere message method middle mile milk mind minor minute miss mistake mix modern moment
money month mood moon moral morning mother motion mount mountain mouth move movement music narrow nation natural
nature near neat necessary neck neighbor neighbour nervous new newly news nice night noise normal north nose
note notice noun novel nowadays number object observe obtain obvious occasion occupy occur ocean offer office
officer official old open operate opinion opportunity oppose opposite orange order ordinary organize origin
original outside pack page pain paint pair paper parent part particular partly partner party pass past path
patient pattern pause pay peace pen people perfect perform perhaps period person personal phone photograph
phrase pick picture piece pink place plain plan plant play pleasant pleasure plenty pocket poem poet point
polite political poor popular position positive possess possible post pour power practical practice practise
praise prefer prepare presence present president press pretend pretty prevent previous price pride print private
prize probably problem produce product profit program progress promise proof proper properly property propose
protect proud prove provide public pull punish pupil pure purpose push quality quantity quarrel quarter queen
question quick quickly quiet race rain raise range rank rapid rare rate raw reach react read ready real realise
realize reason receive recent recognise recognize recommend record red reduce refer refuse regard region regret
regular relate relation relative relax release religion remain remark remember remind remove rent repair repeat
replace reply report represent request require rescue respect rest result return reveal reward rich ride right
ring rise risk river road rock roll roof room root rough round row royal rude ruin rule run rush sad safe sail
salt sand satisfy save scale scene school science sea search season seat second secret secure seek seem seize
select self sell send sense sentence separate serious servant serve service set settle several severe shade
shadow shake shame shape share sharp sheet shelf shell shelter shine ship shock shoe shoot shop shore short
shoulder shout shut sick side sight sign signal silence silent silver similar simple simply sing single sink
sister sit situation size skill skin sky sleep slip slow slowly small smart smell smile smoke smooth snow social
society soft soldier solid solve son song sort soul sound source south space speak special speech speed spell
spend spirit spite split spoil spot spread spring square stage stand standard star start state station stay
steady steal step stick stomach stone stop store storm story straight strange stranger street strength strike
string strong struggle student study stuff stupid style subject succeed success sudden suddenly suffer sugar
suggest suit summer sun supper supply support suppose surface surprise surround swim sword system table tail
talk tall taste teach teacher team tear temple tend term terrible test thank theory thick thin think thought
threat throat throw tie tight time tired title today tomorrow tongue tool tooth top topic total touch tour town
track trade train translate travel treat tree trial trick trip trouble true trust truth try turn twice type
understand unit unite universe unless unlikely unusual urge usual valley value variety various vast verb victory
view village visit visitor voice vote wait wake walk wall wander war warm warn wash waste watch water wave weak
wealth wear weather week weigh weight welcome west wet wheel white wide wife wild win wind window wine wing
winter wise wish woman wonder wood word work world worry worse worst worth wound write writer wrong yard year
yellow yesterday young`;

const CHINESE = `
时间 地方 方法 办法 问题 原因 结果 情况 关系 意思 内容 部分 方面 条件 要求 影响 作用 过程 目的
机会 消息 故事 名字 样子 身体 身上 眼睛 头发 手机 房间 房子 孩子 小孩 女人 男人 朋友 老师 同学
学生 医生 父亲 母亲 家里 家人 先生 老人 同事 客人 国家 社会 世界 城市 学校 公司 生活 工作 学习
历史 文化 经济 政治 科学 技术 出现 开始 结束 成为 变成 变得 得到 取得 获得 拿到 看到 看见 听到
听见 发现 找到 遇到 遇见 碰到 认识 了解 理解 明白 记得 忘记 喜欢 讨厌 害怕 担心 高兴 快乐 难过
生气 希望 相信 怀疑 同意 反对 支持 帮助 参加 参与 选择 决定 准备 打算 计划 安排 解决 处理 改变
提高 增加 减少 发展 产生 造成 引起 导致 避免 防止 保护 保持 保证 管理 控制 检查 测试 设置 设定
配置 打开 关闭 开启 停止 启动 运行 执行 操作 输入 输出 显示 保存 删除 修改 添加 创建 建立 生成
返回 接收 发送 传递 传输 使得 要是 重要 主要 简单 复杂 容易 困难 快速 正确 错误 安全 危险 方便
普通 特殊 相同 不同 大小 长短 高低 多余 最大 最小 最好 今天 明天 昨天 现在 过去 将来 早上 晚上
中午 每天 年轻 美丽 漂亮 干净 东西 人们 有人 别的 一本 一种 看书 写字 说话 走路 吃饭 睡觉 起床
回家 出去 进去 回来 离开 到达 送给 交给 换来 拿来 带来 穿着 坐下 站着 躺着 走进 走出 偷吃 安慰
受伤 冷漠 关键 允许 禁止 拒绝 接受 请求 回答 提问 建议 讨论 研究 分析 比如 例如 数据 信息 文件
程序 系统 用户 功能 服务 网络 手段 方式 形式 类型 种类 数量 质量 价格 费用 钱财 总共 全部 部门
单位 个人 集体 公开 秘密 直接 间接 自动 手动 立刻 马上 突然 慢慢 渐渐 终于 到底 究竟 居然 竟然
果然 当然 其实 看来`;

const WORDS: ReadonlySet<string> = new Set([...ENGLISH.trim().split(/\s+/).map(stem), ...CHINESE.trim().split(/\s+/)]);

/** Whether a term, stemmed when it is English, is an ordinary word. */
export function isCommonTerm(term: string): boolean {
  return WORDS.has(term);
}
