// All words of the page, in English and Chinese. Knows no elements; other modules call `t`.

const ENGLISH = {
  title: "Search everything you have", search: "Search", index: "Index", placeholder: "Words, a picture, or both", ask: "Search words",
  add_picture: "Search with a picture", remove_picture: "Remove the picture", query_picture: "Your query picture", drop: "Drop a picture to search with it",
  clear: "Clear", language: "中文", language_name: "Show this page in Chinese", theme_auto: "Colours: system", theme_light: "Colours: light", theme_dark: "Colours: dark",
  help: "Keyboard", holds: "{documents|document|documents}, {passages|passage|passages}", hint: "Type, paste or drop a picture. Press {key} from anywhere.",
  kind_text: "Text", kind_page: "Page", kind_image: "Image", kind_screenshot: "Screenshot", kind_frame: "Video",
  kinds_text: "Texts", kinds_page: "Pages", kinds_image: "Images", kinds_screenshot: "Screenshots", kinds_frame: "Videos",
  filters: "Filters", folder: "Folder", date: "Date", any_folder: "All folders", any_date: "Any time", after: "From", before: "Until", last_week: "Last 7 days",
  last_month: "Last 30 days", last_year: "Last 12 months", sort: "Order", sort_best: "Best first", sort_new: "Newest first", sort_name: "By name", which_index: "Index",
  no_filters: "Clear filters", searching: "Searching…", found: "{n|result|results}", took: "{s} s", ranked: "reranked", ranking: "reranking…", like_this: "More like {name}",
  first_order: "preliminary order", better_order: "A better order is ready", show_it: "Show", nothing_good: "No good match", nothing_good_more: "These are the closest results.",
  nothing: "Nothing found", nothing_filters: "No result matches the filters.", nothing_hint: "Try other words, or a picture.", more: "More results", no_more: "No more results.",
  score: "Score {score} of 1", score_rerank: "the reranker's score for this passage, 0 to 1", score_fused: "from the ranks of the first stages, 0 to 1; not reranked yet",
  place_page: "p. {n}", place_slide: "slide {n}", place_sheet: "sheet {n}", place_line: "line {a}", place_lines: "lines {a}–{b}", members: "{n} passages", rank: "No. {n}",
  open: "Open", close: "Close", previous_hit: "Previous result", next_hit: "Next result", zoom_in: "Zoom in", zoom_out: "Zoom out", fit: "Fit to window", copy_path: "Copy path",
  copied: "Copied", download: "Download", more_like: "More like this", clip: "Save clip", why: "Why this result", text: "Text", caption: "Caption", around: "Before and after",
  previous_part: "Previous", next_part: "Next", of_pages: "{place} of {n}", regions: "{n|match|matches} outlined", regions_coming: "Finding the words…", similar: "Similar", similar_count: "+{n} similar", hits_here: "Matches in this video", at: "At {time}", hit_at: "Match at {time}",
  frames_only: "Browsers cannot play this file; here are frames of it.", video_error: "The video could not be played; here are frames of it.", converting: "Preparing the video…",
  stage: "Stage", stage_rank: "Rank", stage_score: "Score", lane_dense: "Similar look or meaning (vectors)", lane_lexical: "Same words (full text)", stage_fused: "Both combined", stage_rerank: "Reranker",
  stage_final: "Score shown", not_found_there: "not found", score_is: "The score shown is: {what}", modified: "Modified", dated: "Made", about: "About", location: "Where (lat, lon)", size: "Size", place: "Place", path: "Path", root: "Root", heading: "Section",
  no_picture: "The picture cannot be shown.", loading: "Loading…", keyboard: "Keyboard", key_search: "go to the search box", key_move: "move between results", key_open: "open the result",
  key_close: "close, go back", key_turn: "previous and next result, while one is open", key_part: "previous and next page or frame", key_zoom: "zoom in, zoom out, fit to window", key_help: "show this list", key_play: "play or pause",
  documents: "Documents", passages: "Passages", model: "Model", fingerprint: "Fingerprint", on_disk: "On disk", roots: "Folders", dimensions: "{n} dimensions", revision: "revision {r}",
  skipped: "Skipped files", skipped_none: "Every file could be read.", reason: "Reason", update: "Update the index", update_root: "Update", resume: "Resume", stop: "Stop", stopping: "Stopping…", running: "Indexing",
  progress: "{done} of {total|document|documents}", progress_so_far: "{done|document|documents}, {total} found so far", speed: "{n} passages per second", speed_documents: "{n} documents per second", speed_tokens: "{n} tokens per second", folder_of: "folder {n} of {m}", left: "about {time} left", megabytes: "{n} MB per second", held_back: "held back by {stage}", stage_read: "reading", stage_embed: "the model", stage_write: "writing", state_done: "The index is up to date", state_stopped: "Stopped. Finished work is kept; resume at any time.",
  state_failed: "Indexing failed", report: "{indexed} indexed, {unchanged} unchanged, {removed} removed, {skipped} skipped", kinds_of: "What it holds", by_kind: "Passages by kind", files_by: "Files by kind",
  empty_title: "Nothing is indexed yet", empty_hint: "In a terminal:", empty_then: "This page notices when the index exists.", filter_skipped: "Find a file or a reason", gone_root: "folder not found",
  error_down: "No answer from {address}", error_down_more: "Is it still running? Start it again with: rag ui", again: "Try again", error_picture: "{name} is not a picture this browser can read",
  error_picture_more: "Use a JPEG, PNG, WebP, GIF or AVIF.", error_picture_large: "This picture is too large ({size})", error_picture_large_more: "Use one below 50 MB.", error_picture_pixels: "This picture is too large ({width} × {height} pixels)", error_picture_pixels_more: "Use one of at most {most} pixels; 2,000 a side are enough.", error_gone: "The query picture is no longer available",
  error_gone_more: "Pictures stay in the tab they were added in. Add it again.", error_other: "The server could not answer ({status})", error_other_more: "Try again; its terminal shows more.", seconds: "{n} s", minutes: "{n} min", hours: "{n} h",
  skip_to: "Skip to results", results: "Results", page_title: "{q} · search", unavailable: "This index cannot be searched", strong: "strong", fair: "fair", weak: "weak", updated: "just now",
};

const CHINESE = {
  title: "搜索您的全部资料", search: "搜索", index: "索引", placeholder: "文字、图片，或两者一起", ask: "搜索文字",
  add_picture: "用图片搜索", remove_picture: "移除图片", query_picture: "用来搜索的图片", drop: "松开即可用这张图片搜索",
  clear: "清除", language: "English", language_name: "用英文显示本页", theme_auto: "颜色：跟随系统", theme_light: "颜色：浅色", theme_dark: "颜色：深色",
  help: "键盘", holds: "{documents} 个文件，{passages} 个片段", hint: "输入文字，粘贴或拖入图片。随时按 {key}。",
  kind_text: "文本", kind_page: "页面", kind_image: "图片", kind_screenshot: "截图", kind_frame: "视频",
  kinds_text: "文本", kinds_page: "页面", kinds_image: "图片", kinds_screenshot: "截图", kinds_frame: "视频",
  filters: "筛选", folder: "文件夹", date: "日期", any_folder: "所有文件夹", any_date: "任何时间", after: "从", before: "到", last_week: "最近 7 天",
  last_month: "最近 30 天", last_year: "最近 12 个月", sort: "排序", sort_best: "最相关", sort_new: "最新", sort_name: "按名称", which_index: "索引",
  no_filters: "清除筛选", searching: "正在搜索…", found: "{n} 个结果", took: "{s} 秒", ranked: "已重排", ranking: "正在重排…", like_this: "与 {name} 相似",
  first_order: "初步顺序", better_order: "更好的顺序已就绪", show_it: "显示", nothing_good: "没有找到合适的结果", nothing_good_more: "以下最接近，但都不太符合。",
  nothing: "没有结果", nothing_filters: "没有片段符合筛选条件。", nothing_hint: "换些文字，或试试图片。", more: "更多结果", no_more: "已全部显示。",
  score: "得分 {score}（满分 1）", score_rerank: "重排模型对该片段的评分，0 到 1", score_fused: "由初步各路排名得出，0 到 1；尚未重排",
  place_page: "第 {n} 页", place_slide: "第 {n} 张幻灯片", place_sheet: "工作表 {n}", place_line: "第 {a} 行", place_lines: "第 {a}–{b} 行", members: "{n} 处", rank: "第 {n} 名",
  open: "打开", close: "关闭", previous_hit: "上一个结果", next_hit: "下一个结果", zoom_in: "放大", zoom_out: "缩小", fit: "整图", copy_path: "复制路径",
  copied: "已复制", download: "下载", more_like: "更多相似", clip: "保存片段", why: "为何出现", text: "文字", caption: "说明", around: "前后内容",
  previous_part: "前一个", next_part: "后一个", of_pages: "{place}，共 {n} 页", regions: "标出 {n} 处匹配", regions_coming: "正在查找文字…", similar: "相似", similar_count: "另有 {n} 个相似", hits_here: "此视频中的命中", at: "{time} 处", hit_at: "命中于 {time}",
  frames_only: "浏览器无法播放此文件；以下是其画面。", video_error: "视频无法播放；以下是其画面。", converting: "正在准备视频…",
  stage: "阶段", stage_rank: "排名", stage_score: "得分", lane_dense: "外观或含义相近（向量）", lane_lexical: "相同文字（全文）", stage_fused: "两路合并", stage_rerank: "重排模型",
  stage_final: "显示的得分", not_found_there: "该路未找到", score_is: "显示的得分为：{what}", modified: "修改于", dated: "创作于", about: "关于", location: "位置（纬度、经度）", size: "大小", place: "位置", path: "路径", root: "根", heading: "所在标题",
  no_picture: "无法显示该图片。", loading: "正在加载…", keyboard: "键盘", key_search: "跳到搜索框", key_move: "在结果之间移动", key_open: "打开结果",
  key_close: "关闭、返回", key_turn: "打开时：上一个、下一个结果", key_part: "上一页、下一页或画面", key_zoom: "放大、缩小、整图", key_help: "本列表", key_play: "播放或暂停",
  documents: "文件", passages: "片段", model: "模型", fingerprint: "指纹", on_disk: "占用空间", roots: "文件夹", dimensions: "{n} 维", revision: "版本 {r}",
  skipped: "跳过的文件", skipped_none: "所有文件都可读取。", reason: "原因", update: "更新索引", update_root: "更新", resume: "继续", stop: "停止", stopping: "正在停止…", running: "正在索引",
  progress: "{total} 个文件中的 {done} 个", progress_so_far: "已处理 {done} 个文件，目前找到 {total} 个", speed: "每秒 {n} 个片段", speed_documents: "每秒 {n} 个文件", speed_tokens: "每秒 {n} 个词元", folder_of: "第 {n} 个文件夹，共 {m} 个", left: "约剩 {time}", megabytes: "每秒 {n} MB", held_back: "瓶颈：{stage}", stage_read: "读取", stage_embed: "模型", stage_write: "写入", state_done: "索引已是最新", state_stopped: "已停止。已完成的部分已保存，可随时继续。",
  state_failed: "索引失败", report: "读取 {indexed}，未变 {unchanged}，移除 {removed}，跳过 {skipped}", kinds_of: "内容", by_kind: "按种类的片段", files_by: "按类型的文件",
  empty_title: "尚未建立索引", empty_hint: "在终端中运行：", empty_then: "索引建立后本页会自动发现。", filter_skipped: "查找文件或原因", gone_root: "现在不在",
  error_down: "{address} 没有响应", error_down_more: "程序还在运行吗？请重新启动：rag ui", again: "重试", error_picture: "浏览器无法读取图片 {name}",
  error_picture_more: "请使用 JPEG、PNG、WebP、GIF 或 AVIF。", error_picture_large: "图片太大（{size}）", error_picture_large_more: "请使用小于 50 MB 的图片。", error_picture_pixels: "图片太大（{width} × {height} 像素）", error_picture_pixels_more: "请使用不超过 {most} 像素的图片；边长 2,000 像素已足够。", error_gone: "查询图片已不在",
  error_gone_more: "图片只保留在添加它的标签页中，请重新添加。", error_other: "服务器无法回答（{status}）", error_other_more: "请重试；终端中有更多信息。", seconds: "{n} 秒", minutes: "{n} 分钟", hours: "{n} 小时",
  skip_to: "跳到结果", results: "结果", page_title: "{q} · 搜索", unavailable: "无法搜索", strong: "强", fair: "中", weak: "弱", updated: "刚刚",
};

const TABLES = { en: ENGLISH, zh: CHINESE };
let current = "en";

/** Sets the language for `t`: the one chosen before, else the browser's, else English. */
export function chooseLanguage(chosen = localStorage.getItem("rag.language")) {
  const wanted = chosen || navigator.language || "en";
  current = wanted.toLowerCase().startsWith("zh") ? "zh" : "en";
  document.documentElement.lang = current === "zh" ? "zh-CN" : "en";
  return current;
}

/** Chooses a language, and remembers it in this browser. */
export function speak(language) {
  localStorage.setItem("rag.language", language);
  return chooseLanguage(language);
}

export const language = () => current;

/** The words for a key, with `{name}` filled in and `{name|one|many}` in singular or plural: plain text, never markup. */
export function t(key, values = {}) {
  const words = TABLES[current][key] ?? ENGLISH[key] ?? key;
  const filled = (whole, name, one, many) => (name in values ? `${values[name]}${one ? ` ${String(values[name]) === "1" ? one : many}` : ""}` : whole);
  return words.replace(/\{(\w+)(?:\|(\w+)\|(\w+))?\}/g, filled);
}
